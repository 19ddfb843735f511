#!/usr/bin/env bash
# tidy.sh BUILD [JOBS]: clang-tidy over the library and the program, as many files at a time as BUILD compiles together.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
grep -o '"file": "[^"]*"' "$build/compile_commands.json" | cut -d'"' -f4 | grep -E "^($build|$PWD)/src/.*\.(cpp|cxx)\$" |
  xargs -P "${2:-1}" -n 1 clang-tidy --quiet -p "$build" --extra-arg-before=-include"$PWD/scripts/clang_prelude.h"
