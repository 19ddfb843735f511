// How a kernel is started whose thread number i does body(i).
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/number.h"
#include "cuda/packs.h"

namespace sextant::kernels::cuda {

template <class Body>
__global__ void each(uint32_t count, Body body) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) body(i);
}

/// Runs body(0) to body(count - 1), count <= kMostThreads; false where the launch failed.
template <class Body>
bool launch(int64_t count, const Body& body, void* stream) {
  if (count == 0) return true;
  constexpr int64_t kThreads = 256;
  each<<<static_cast<unsigned>((count + kThreads - 1) / kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      static_cast<uint32_t>(count), body);
  return cudaPeekAtLastError() == cudaSuccess;
}

inline int answer(bool launched) { return launched ? 0 : static_cast<int>(cudaGetLastError()); }

/// f(T(), width) by the numbers' type; wide ones fill 16 bytes.
template <class F>
int for_numbers(Number number, bool wide, F f) {
  using One = std::integral_constant<int, 1>;
  using Four = std::integral_constant<int, 4>;
  using Eight = std::integral_constant<int, 8>;
  switch (number) {
    case Number::kBFloat16:
      return wide ? f(__nv_bfloat16(), Eight()) : f(__nv_bfloat16(), One());
    case Number::kHalf:
      return wide ? f(__half(), Eight()) : f(__half(), One());
    default:
      return wide ? f(float(), Four()) : f(float(), One());
  }
}

}  // namespace sextant::kernels::cuda
