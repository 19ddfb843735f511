#!/usr/bin/env bash
# install-dependencies.sh [PACKAGE...]: installs the Debian packages that the build needs and that are missing, or those
# named; asks for sudo only if not root. TORCH=other leaves out libtorch, which comes from elsewhere, DEPENDENCIES=off
# installs nothing: everything comes from elsewhere (conda, modules).
set -euo pipefail

fail() {
  echo "install-dependencies.sh: $*" >&2
  exit "${code:-1}"
}

case ${1:-} in
  -h | --help)
    sed -n '2,/^set /s/^# //p' "$0"
    exit 0
    ;;
  -*) code=2 fail "there is no option '$1'; give names of packages, or nothing" ;;
esac
case ${DEPENDENCIES:-auto} in
  auto) ;;
  off) exit 0 ;;
  *) code=2 fail "DEPENDENCIES is auto or off, not '$DEPENDENCIES'" ;;
esac

packages=(g++ cmake ninja-build zlib1g-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev
          libpng-dev libjpeg-dev libcairo2-dev libutf8proc-dev libxxhash-dev pkg-config fonts-dejavu-core
          libwebp-dev libsqlite3-dev libgtest-dev)
# OpenBLAS is for libtorch's products: Debian's reference BLAS is many times slower.
# libgloo-dev: the headers of what libtorch adds up by over processes.
[ "${TORCH:-}" = other ] || packages+=(libtorch-dev libopenblas0-pthread libgloo-dev)

[ $# -eq 0 ] || packages=("$@")

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

elsewhere="or, where they come from conda or modules, make DEPENDENCIES=off (README.md)"
command -v apt-get >/dev/null ||
  fail "there is no apt-get here; what these packages of Debian hold is needed: ${missing[*]}. Install it, $elsewhere"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "missing, and there is no sudo to install them: ${missing[*]}. Ask your administrator for them, $elsewhere"
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
