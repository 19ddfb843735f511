#!/usr/bin/env bash
# cuda.sh TORCH [auto|on|off]: whether to compile sextant's CUDA kernels for the libtorch that torch.sh finds for TORCH.
# Prints settings of CMake, or nothing, and says on standard error what and why.
#
#   auto    where that libtorch has CUDA, is 2.6 or newer, and nvcc is here
set -euo pipefail
cd "$(dirname "$0")"

say() { echo "cuda.sh: $*" >&2; }

choice=${2:-auto}
case $choice in
  auto | on | off) ;;
  *)
    say "CUDA is auto, on or off; '$choice' is none of them"
    exit 2
    ;;
esac
[ "$choice" != off ] || exit 0

root=$(./torch.sh "${1:-auto}" 2>/dev/null || true)
root=${root%/share/cmake/Torch}
leave() {
  if [ "$choice" = on ]; then
    say "CUDA=on: $1"
    exit 2
  fi
  [ "$#" -lt 2 ] || say "without CUDA kernels: $1"
  exit 0
}
[ -e "${root:-/nowhere}/lib/libtorch_cuda.so" ] || leave "this libtorch is for CPUs"
version=$(sed -nE "s/^__version__ = '([0-9]+\.[0-9]+).*'/\1/p" "$root/version.py" 2>/dev/null || true)
version=${version:-$(cut -d. -f1,2 "$root/build-version" 2>/dev/null || true)}
[ "$(printf '2.6\n%s\n' "${version:-0}" | sort -V | head -1)" = 2.6 ] || leave "they need libtorch 2.6 or newer" say
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
[ -n "$nvcc" ] || leave "there is no nvcc" say
echo "-DSEXTANT_CUDA=ON -DCMAKE_CUDA_COMPILER=$nvcc"
# The cards of this machine; without one, those that CMake names.
cards=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d . | sort -u | sed 's/$/-real/' |
  paste -sd';' || true)
[ -z "$cards" ] || echo "-DCMAKE_CUDA_ARCHITECTURES=$cards"
say "with CUDA kernels by $nvcc${cards:+ for $cards}"
