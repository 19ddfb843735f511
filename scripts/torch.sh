#!/usr/bin/env bash
# torch.sh [auto|system|python|DIR]: which libtorch to build with. Prints the folder of its TorchConfig.cmake, or nothing
# for the system's, and says on standard error which it is.
#
#   auto    PyTorch of the active environment (VIRTUAL_ENV, CONDA_PREFIX) if it has one, else the system's
#   system  Debian's libtorch-dev
#   python  PyTorch of the active environment, else of python3
#   DIR     an unpacked libtorch, or the folder of an installed torch package
set -euo pipefail

say() { echo "torch.sh: $*" >&2; }
fail() {
  say "$*"
  exit 2
}

environment=${VIRTUAL_ENV:-${CONDA_PREFIX:-}}
python=${environment:+$environment/bin/python}

# The torch package of a Python, without importing it: that takes seconds.
torch_of() {
  "$1" -c 'import importlib.util, os
spec = importlib.util.find_spec("torch")
print(os.path.dirname(spec.origin) if spec and spec.origin else "")' 2>/dev/null || true
}

system() {
  say "the system's libtorch: $1"
  exit 0
}

choice=${1:-auto}
case $choice in
  system) system "as asked" ;;
  auto)
    [ -n "$environment" ] || system "no Python environment is active"
    folder=$(torch_of "$python")
    [ -n "$folder" ] || system "there is no PyTorch in $environment"
    why="the active environment's; TORCH=system takes the system's"
    ;;
  python)
    python=${python:-python3}
    folder=$(torch_of "$python")
    [ -n "$folder" ] || fail "there is no PyTorch in $python: install it (pip install torch), or take TORCH=system"
    why="of $python, as asked"
    ;;
  *)
    [ -d "$choice" ] || fail "TORCH is auto, system, python or a folder; '$choice' is none of them"
    folder=$(cd "$choice" && pwd)
    why="as asked"
    ;;
esac
places=("$folder/share/cmake/Torch" "$folder" "$folder/Torch")
# conda-forge's has its files for C++ beside all others of the environment.
case $choice in auto | python) [ -z "$environment" ] || places+=("$environment/share/cmake/Torch") ;; esac
for place in "${places[@]}"; do
  if [ -e "$place/TorchConfig.cmake" ]; then
    version=$(cat "$folder/build-version" 2>/dev/null ||
      sed -nE "s/^__version__ = '(.*)'/\1/p" "$folder/version.py" 2>/dev/null || true)
    say "libtorch ${version:+$version }in $folder: $why"
    cd "$place" && pwd
    exit 0
  fi
done
fail "there is no share/cmake/Torch/TorchConfig.cmake in $folder; give the folder of a libtorch for C++"
