#!/usr/bin/env bash
# wheel.sh PYTHON WORK: makes a wheel of this tree with PYTHON's PyTorch, installs it in a fresh virtual environment and
# runs the notebooks with it. Exits with 77 where the tools that build wheels cannot be fetched.
set -euo pipefail
python=$1 work=$2
cd "$(dirname "$0")/../.."
rm -rf "$work" && mkdir -p "$work"
"$python" -m venv --system-site-packages "$work/env" || { echo "left out: $python makes no environments"; exit 77; }
"$work/env/bin/pip" download -q --no-deps -d "$work/tools" scikit-build-core 2>"$work/pip.log" ||
  { echo "left out: $(tail -n 1 "$work/pip.log")"; exit 77; }
start=$SECONDS
"$work/env/bin/pip" wheel . --no-deps -q -w "$work" --config-settings=build-dir="$work/build"
echo "built in $((SECONDS - start)) s: $(du -h "$work"/*.whl)"
"$work/env/bin/pip" install -q --no-deps "$work"/*.whl
cp -r examples models "$work"  # beside the tree, whose folder python/ must not be found
cd "$work" && env/bin/python examples/run.py
env/bin/python -c "
import sextant
assert sextant.__file__.startswith('$work'), sextant.__file__"
