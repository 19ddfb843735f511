#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: fuzzes each reader for so long, two at a time; all of them unless some are named.
#
# First inputs are the reference vectors, the tests' files, what once broke a reader, and what the library itself
# writes. What the fuzzer finds worth keeping stays in build-asan/corpus, and inputs that break a reader come to
# build-asan/broken: the exit code is 1 then. An input may ask for 1000 MB at a time and 2500 MB together, and take 20 s.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?"seconds for each target"}
shift
build=build-asan
golden=${SEXTANT_GOLDEN_DIR:-tests/golden}
jobs=${JOBS:-2}
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=0

mkdir -p $build/seeds $build/corpus $build/broken $build/logs
for program in $build/tests/fuzz/fuzz_{files,settings}; do
  [ -x "$program" ] || continue
  SEXTANT_FUZZ_SEEDS=$build/seeds $program | sed "s#^#$program #"
done >$build/targets

# seed TARGET FILE...: first inputs under the names of their paths.
seed() {
  local target=$1 file
  shift
  mkdir -p "$build/seeds/$target"
  for file; do cp "$file" "$build/seeds/$target/$(tr / _ <<<"$file")"; done
}

# Paths are those of the repository: no spaces.
files() { find "$golden" tests/golden tests/data tests/models models docs -type f -name "$1" -size -"${2:-64}"k; }
seed safetensors $(files '*.safetensors')
seed zip $(files '*.pt' 16) $(files '*.npz' 16)
seed pt $(files '*.pt')
seed legacy $(files '*.pth') $(files '*.th') $(files '*legacy*')
seed pickle $(files '*.pkl')
seed npz $(files '*.npz')
seed npy $(files 'bare_npy.npz')
seed pickled-arrays $(find tests/data/cifar -type f)
seed cifar $(find tests/data/cifar -type f)
seed png $(files '*.png' 4)
seed jpeg $(files '*.jpg' 4)
seed webp $(files '*.webp' 4)
seed bmp $(files '*.bmp' 4)
seed recipe $(find recipes -name '*.toml')
seed config-json $(files config.json)
mkdir -p $build/seeds/tar
tar --format=ustar -C tests/data/cifar/ten -cf $build/seeds/tar/plain .
gzip -c $build/seeds/tar/plain >$build/seeds/tar/packed

# one PROGRAM TARGET LONGEST
one() {
  local program=$1
  shift
  local log=$build/logs/$1 status=0 known=tests/fuzz/inputs/$1
  mkdir -p "$build/corpus/$1" "$build/seeds/$1"
  [ -d "$known" ] || known=
  SEXTANT_FUZZ_TARGET=$1 $program -max_total_time="$seconds" -max_len="$2" -timeout=20 -rss_limit_mb=2500 \
    -malloc_limit_mb=1000 -print_final_stats=1 -artifact_prefix="$build/broken/$1-" \
    "$build/corpus/$1" "$build/seeds/$1" $known >"$log" 2>&1 || status=$?
  printf '%-15s %10s runs, %6s edges, %6s inputs kept%s\n' "$1" "$(awk '/number_of_executed_units/ {print $2}' "$log")" \
    "$(awk '/^edges:/ {print $2}' "$log")" "$(find "$build/corpus/$1" -type f | wc -l)" \
    "$([ $status -eq 0 ] || echo ": BROKEN, see $log")"
  return $status
}
export -f one
export seconds build

[ $# -gt 0 ] && chosen=$(printf ' %s \n' "$@") || chosen=.
grep -e "$chosen" $build/targets | xargs -P "$jobs" -n 3 bash -c 'one "$0" "$1" "$2"' || exit 1
