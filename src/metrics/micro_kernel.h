// The innermost loop of a matrix product, once per instruction set: `sums` [rows][columns] = a b for packed a [k][rows]
// and b [k][columns].
#pragma once

#include <cstdint>

namespace sextant::metrics {

template <class T>
struct MicroKernel {
  int64_t rows;
  int64_t columns;
  void (*run)(int64_t k, const T* a, const T* b, T* sums);
};

/// The largest tile of any instruction set.
inline constexpr int64_t kMaxTile = 14 * 32;

/// That of this processor.
const MicroKernel<float>& micro_kernel(float);
const MicroKernel<double>& micro_kernel(double);

}  // namespace sextant::metrics
