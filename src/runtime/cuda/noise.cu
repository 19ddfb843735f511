#include "cuda/noise.h"
#include "internal/runtime/philox.h"

namespace sextant::cuda {
namespace {

constexpr int kThreads = 256;

/// Each thread makes four numbers at a time: a block of the counter.
template <void (*kFour)(float*, int64_t, int64_t, uint64_t, uint64_t)>
__global__ void fill(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw) {
  const int64_t threads = n * ((count + 3) / 4);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; at < threads; at += stride) {
    philox::fill_at<kFour>(at, out, samples, count, seed, draw);
  }
}

template <void (*kFour)(float*, int64_t, int64_t, uint64_t, uint64_t)>
int launch(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw, void* stream) {
  const int64_t threads = n * ((count + 3) / 4);
  if (threads == 0) return 0;
  constexpr int64_t kMostBlocks = 1 << 16;
  const int64_t blocks = (threads + kThreads - 1) / kThreads;
  fill<kFour><<<static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0,
                static_cast<cudaStream_t>(stream)>>>(out, samples, n, count, seed, draw);
  return static_cast<int>(cudaGetLastError());
}

}  // namespace

int fill_normal(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw,
                void* stream) {
  return launch<philox::four_normals>(out, samples, n, count, seed, draw, stream);
}

int fill_uniform(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw,
                 void* stream) {
  return launch<philox::four_uniforms>(out, samples, n, count, seed, draw, stream);
}

}  // namespace sextant::cuda
