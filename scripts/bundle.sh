#!/usr/bin/env bash
# bundle.sh [OUT.tar.xz] [FOLDER...]: one archive for a machine with only g++, CMake, ninja, PyTorch and, for a GPU,
# nvcc: no network, no -dev packages. There, unpacked, ./gpu.sh builds, tests and measures (scripts/gpu.py says what).
#
# Holds the last commit, without what no stage there needs; the libraries that Debian brings in -dev packages, as
# headers and static files; and each FOLDER below extra/ (extra/cifar... is what the last stage trains on). Made on
# Debian on x86-64, for any Linux on x86-64 whose C library is no older.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "bundle.sh: $*" >&2
  exit 2
}
case ${1:-} in
  -h | --help)
    sed -n '2,/^set /s/^# \{0,1\}//p' scripts/bundle.sh
    exit 0
    ;;
  -*) fail "there is no option '$1'; give OUT.tar.xz and folders" ;;
esac
archive=${1:-sextant-bundle.tar.xz}
[ $# -eq 0 ] || shift
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "needs Debian's packages for x86-64; run it there"

work=$(mktemp -d)
chmod 755 "$work"  # apt reads as a user of its own
trap 'rm -rf "$work" "$archive.partial"' EXIT
top=$work/sextant-bundle
mkdir -p "$top/source" "$top/third/packages"
chmod 777 "$top/third/packages"
# Readers of checkpoint files, metrics and pictures have nothing to do with GPUs; models of CIFAR-10 are trained there.
git archive HEAD -- . ':!models/cifar10-*' ':!tests/golden/models/checkpoints' ':!tests/golden/models/hostile' \
  ':!tests/golden/math/calibration' ':!tests/golden/math/metrics' ':!tests/golden/math/npz' \
  ':!tests/golden/math/training' ':!docs/*.png' ':!docs/*.svg' ':!docs/results' |
  tar -x -C "$top/source"

(
  cd "$top/third/packages"
  # apt-get download follows no dependencies: libjpeg-dev itself is empty.
  apt-get download -qq zlib1g-dev libpng-dev libjpeg62-turbo-dev nlohmann-json3-dev libcli11-dev \
    libtomlplusplus-dev libgtest-dev libutf8proc-dev libxxhash-dev libsqlite3-dev ||
    fail "apt-get download failed; apt-get update first?"
  for package in *.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
)
rm -r "$top/third/packages"
# One flat folder of headers and one of static libraries, with every package's licence.
mkdir -p "$top/third/lib"
cp -r "$work/unpacked/usr/include" "$top/third/include"
cp -r "$top/third/include/x86_64-linux-gnu/." "$top/third/include" && rm -r "$top/third/include/x86_64-linux-gnu"
cp "$work"/unpacked/usr/lib/x86_64-linux-gnu/lib{z,png16,jpeg,utf8proc,gtest,sqlite3}.a "$top/third/lib"
for copyright in "$work"/unpacked/usr/share/doc/*/copyright; do
  cp -L "$copyright" "$top/third/$(basename "$(dirname "$copyright")").copyright"
done
for config in "$work"/unpacked/usr/{share,lib}/cmake/{nlohmann_json,CLI11}; do
  [ ! -d "$config" ] || { mkdir -p "$top/third/share/cmake" && cp -r "$config" "$top/third/share/cmake"; }
done
cat >"$top/third/third.cmake" <<'CMAKE'
# A first cache: the libraries are those beside this file.
set(third ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_PREFIX_PATH ${third} CACHE PATH "")
foreach(found IN ITEMS ZLIB:z PNG:png16 JPEG:jpeg UTF8PROC:utf8proc GTEST:gtest SQLite3:sqlite3)
  string(REPLACE ":" ";" found ${found})
  list(GET found 0 package)
  list(GET found 1 library)
  set(${package}_LIBRARY ${third}/lib/lib${library}.a CACHE FILEPATH "")
  set(${package}_INCLUDE_DIR ${third}/include CACHE PATH "")
endforeach()
set(PNG_PNG_INCLUDE_DIR ${third}/include CACHE PATH "")
set(GTEST_MAIN_LIBRARY ${third}/lib/libgtest.a CACHE FILEPATH "")
set(XXHASH_INCLUDE_DIR ${third}/include CACHE PATH "")
# toml++ and whatever a package's configuration does not name.
set(CMAKE_CXX_FLAGS "-isystem ${third}/include" CACHE STRING "")
# This machine's own versions would mix with ours.
set(CMAKE_DISABLE_FIND_PACKAGE_PkgConfig ON CACHE BOOL "")
CMAKE
cat >"$top/gpu.sh" <<'SH'
#!/bin/sh
# Builds, tests and measures: source/scripts/gpu.py --help. PYTHON is the one that has PyTorch.
here=$(cd "$(dirname "$0")" && pwd)
exec "${PYTHON:-${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/}python3}" "$here/source/scripts/gpu.py" "$@"
SH
chmod +x "$top/gpu.sh"
for folder in "$@"; do
  mkdir -p "$top/extra"
  cp -r "$folder" "$top/extra"
done

tar -C "$work" -c sextant-bundle | xz -6 -T0 >"$archive.partial"
mv "$archive.partial" "$archive"  # one that was stopped has no final name
size=$(stat -c %s "$archive")
echo "$archive: $((size / 1024)) KiB"
[ $# -gt 0 ] || [ "$size" -le $((30 * 1024 * 1024)) ] || fail "more than 30 MiB"
