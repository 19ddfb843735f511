#!/usr/bin/env bash
# install-dependencies.sh [PACKAGE...]: installs the Debian packages that the build needs and that are missing, or those
# named; asks for sudo only if not root. TORCH=other leaves out libtorch, which comes from elsewhere.
set -euo pipefail

packages=(g++ cmake ninja-build zlib1g-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev
          libpng-dev libjpeg62-turbo-dev libcairo2-dev libutf8proc-dev libxxhash-dev pkg-config fonts-dejavu-core
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

command -v apt-get >/dev/null || { echo "Missing: ${missing[*]}. Install them (this script knows only apt-get)." >&2; exit 1; }
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
