#!/usr/bin/env bash
# diffusers.sh PYTHON MODULE WORK: the tests that need diffusers, in a virtual environment made for them, which has
# PYTHON's PyTorch and the newest diffusers that works with it. Exits with 77 where that cannot be fetched.
set -euo pipefail
python=$1 module=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"
"$python" -m venv --system-site-packages "$work/env" || { echo "left out: $python makes no environments"; exit 77; }
# Later ones name dtypes that PyTorch 1 has not; from 0.36 on there are guiders.
diffusers="diffusers>=0.36"
case $("$python" -c "import torch; print(torch.__version__)") in 1.*) diffusers="diffusers==0.31.0" ;; esac
"$work/env/bin/pip" install -q "$diffusers" "huggingface_hub<1" 2>"$work/pip.log" ||
  { echo "left out: $(tail -n 1 "$work/pip.log")"; exit 77; }
PYTHONPATH=$module PYTHONDONTWRITEBYTECODE=1 exec "$work/env/bin/python" -m pytest -q -rs -p no:cacheprovider \
  "$here/test_folders.py" "$here/test_diffusers.py"
