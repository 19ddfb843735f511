#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/norm.h"

namespace sextant::kernels::cuda {
namespace {

template <class Body>
__global__ void each(int64_t count, Body body) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) body(i);
}

/// Runs body(0) to body(count - 1); false where the launch failed.
template <class Body>
bool launch(int64_t count, const Body& body, void* stream) {
  if (count == 0) return true;
  constexpr int64_t kThreads = 256, kMostBlocks = 1 << 20;
  const int64_t blocks = (count + kThreads - 1) / kThreads;
  each<<<static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0,
         static_cast<cudaStream_t>(stream)>>>(count, body);
  return cudaPeekAtLastError() == cudaSuccess;
}

template <class T>
Parts<T> parts(const NormImages& x) {
  return {static_cast<const T*>(x.first), static_cast<const T*>(x.second), x.first_channels, x.channels, x.pixels};
}

template <class T>
int forward(const NormImages& x, const NormParameters& norm, Moments* room, Affine* affine, void* y, void* stream) {
  const int64_t channels = x.batch * x.channels;
  Moments* const chunk = room;
  Moments* const channel = room + channels * x.chunks();
  const bool launched =
      launch(channels * x.chunks(), ChunkMoments<T>{parts<T>(x), chunk}, stream) &&
      launch(channels, ChannelMoments{chunk, channel, x.chunks(), x.channels}, stream) &&
      launch(channels, GroupAffine{channel, affine, norm, x.channels}, stream) &&
      launch(channels * x.pixels, Normalised<T>{parts<T>(x), affine, static_cast<T*>(y), norm.silu}, stream);
  return launched ? 0 : static_cast<int>(cudaGetLastError());
}

template <class T>
int backward(const NormImages& x, int64_t groups, bool silu, const Affine* affine, const void* dy, Sums* room,
             void* first, void* second, void* stream) {
  const int64_t channels = x.batch * x.channels;
  Sums* const chunk = room;
  Sums* const channel = chunk + channels * x.chunks();
  Sums* const group = channel + channels;
  const auto* slopes = static_cast<const T*>(dy);
  const bool launched =
      launch(channels * x.chunks(), ChunkSums<T>{parts<T>(x), slopes, affine, chunk, silu}, stream) &&
      launch(channels, ChannelSums{chunk, channel, x.chunks(), x.channels}, stream) &&
      launch(channels, GroupSums{channel, affine, group, x.channels, groups, x.pixels}, stream) &&
      launch(channels * x.pixels,
             Gradient<T>{parts<T>(x), slopes, affine, group, static_cast<T*>(first), static_cast<T*>(second), silu},
             stream);
  return launched ? 0 : static_cast<int>(cudaGetLastError());
}

}  // namespace

int norm_forward(const NormImages& x, const NormParameters& norm, Moments* room, Affine* affine, void* y,
                 void* stream) {
  switch (x.number) {
    case Number::kBFloat16:
      return forward<__nv_bfloat16>(x, norm, room, affine, y, stream);
    case Number::kHalf:
      return forward<__half>(x, norm, room, affine, y, stream);
    default:
      return forward<float>(x, norm, room, affine, y, stream);
  }
}

int norm_backward(const NormImages& x, int64_t groups, bool silu, const Affine* affine, const void* dy, Sums* room,
                  void* first, void* second, void* stream) {
  switch (x.number) {
    case Number::kBFloat16:
      return backward<__nv_bfloat16>(x, groups, silu, affine, dy, room, first, second, stream);
    case Number::kHalf:
      return backward<__half>(x, groups, silu, affine, dy, room, first, second, stream);
    default:
      return backward<float>(x, groups, silu, affine, dy, room, first, second, stream);
  }
}

}  // namespace sextant::kernels::cuda
