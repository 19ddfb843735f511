// Numbers that a thread of a kernel reads and writes together.
//
// Plain C++ without a library: nvcc makes kernels of it, g++ tests them. Threads are numbered by 32 bits, because a GPU
// divides those six times as fast; places in memory have 64.
#pragma once

#include <cmath>
#include <cstdint>

#include "internal/runtime/host_device.h"

// Loops whose turns are written out one after the other, so that their reads are under way together.
#if defined(__CUDA_ARCH__)
#define SEXTANT_PRAGMA(text) _Pragma(#text)
#define SEXTANT_UNROLL(turns) SEXTANT_PRAGMA(unroll turns)
#define SEXTANT_UNROLL_ALL SEXTANT_PRAGMA(unroll)
#else
#define SEXTANT_UNROLL(turns)
#define SEXTANT_UNROLL_ALL
#endif

namespace sextant::kernels::cuda {

/// More threads than this have no number.
constexpr int64_t kMostThreads = int64_t{1} << 31;

/// kWidth numbers side by side: 16 bytes where the channels allow it.
template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T v[kWidth];
};

/// Where T has 16 bits, by the GPU's own exponential and division: their errors, two bits of float32, are lost in its
/// rounding.
template <class T>
SEXTANT_HOST_DEVICE inline float sigmoid(float z) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(T) == 2) return __fdividef(1, 1 + __expf(-z));
#endif
  return 1 / (1 + expf(-z));
}

/// Images [B, P, C] in one or two parts, which stand for their concatenation along the channels.
template <class T, int kWidth>
struct Parts {
  using Numbers = Pack<T, kWidth>;

  const T* first;
  const T* second;  ///< or null
  int64_t first_channels, channels, pixels;

  SEXTANT_HOST_DEVICE Numbers at(int64_t row, int64_t c) const {
    const T* const from = c < first_channels ? first + row * first_channels + c
                                             : second + row * (channels - first_channels) + c - first_channels;
    return *reinterpret_cast<const Numbers*>(from);
  }
  /// How many threads side by side hold the channels of a pixel.
  SEXTANT_HOST_DEVICE uint32_t packs() const { return static_cast<uint32_t>(channels / kWidth); }
};

}  // namespace sextant::kernels::cuda
