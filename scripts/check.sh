#!/usr/bin/env bash
# check.sh format | headers | alone [SECONDS] | tidy [SECONDS]: the gates beside the tests.
#
#   format   every C++ file is as clang-format leaves it
#   headers  every public header compiles alone, without a precompiled header
#   alone    the library's files compile one by one, without a precompiled header
#   tidy     clang-tidy over the library and the program
#
# The last two take the files that changed last first and stop, content, when SECONDS are over; a finding before counts.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build-check
jobs=$(nproc)

# The sources, the one that changed last first.
sources() {
  git log --format= --name-only --diff-filter=d -- 'src/*.cpp' | awk '!seen[$0]++' | grep -xFf <(git ls-files 'src/*.cpp')
}

# -fsyntax-only: the compiler reads and instantiates everything and writes nothing.
configure() {
  cmake -S . -B $build -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=Check -DCMAKE_CXX_FLAGS_CHECK=-fsyntax-only -DSEXTANT_UNITY=OFF \
    -DSEXTANT_PRECOMPILE=OFF -DSEXTANT_TESTS=OFF -DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON \
    -DTorch_DIR="$(scripts/torch.sh "${TORCH:-auto}" 2>/dev/null)" >/dev/null
}

# Names of files in, what ninja calls their objects out; those that this machine's libraries leave out are not built.
objects() {
  sed -E 's#^src/([a-z]+)/(.*)$#src/\1/CMakeFiles/sextant_\1.dir/\2.o#
          s#sextant_cli.dir/#sextant_cli_library.dir/#; s#sextant_cli_library.dir/main#sextant_cli.dir/main#' |
    grep -xFf <(ninja -C $build -t targets all | cut -d: -f1)
}

# Of the names that come in, those of files that this machine's libraries do not leave out.
compiled() {
  grep -xFf <(sed -n "s#^ *\"file\": \"$PWD/\(.*\)\",*\$#\1#p" $build/compile_commands.json)
}

# Runs a command on the names that come in for at most this long; running out of time is no failure.
for_seconds() {
  local seconds=$1 status=0
  shift
  [ "$seconds" -gt 0 ] || return 0
  timeout "$seconds" "$@" || status=$?
  [ $status -eq 124 ] && echo "time is over after $seconds s; the rest is for another time" && status=0
  return $status
}

case ${1:-} in
  format)
    git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run -Werror
    ;;
  headers)
    configure
    cmake --build $build --target all_verify_interface_header_sets
    ;;
  alone)
    configure
    rm -f $build/findings
    # A few at a time, as ninja keeps no order among its targets.
    compile='ninja -C "$0" -k 0 "$@" || { [ $? -ne 1 ] || touch "$0/findings"; }'
    sources | objects | for_seconds "${2:-600}" xargs -r -n $((2 * jobs)) sh -c "$compile" $build
    [ ! -e $build/findings ]
    ;;
  tidy)
    configure
    rm -f $build/findings
    tidy='clang-tidy --quiet -p "$0" --extra-arg-before=-include"$PWD/scripts/clang_prelude.h" "$1" ||
      { [ $? -ne 1 ] || touch "$0/findings"; }'
    sources | compiled | for_seconds "${2:-600}" xargs -r -P "$jobs" -n 1 sh -c "$tidy" $build
    [ ! -e $build/findings ]
    ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
