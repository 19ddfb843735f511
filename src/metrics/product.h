// Matrix products in float64 and float32 that do not depend on the BLAS libtorch was linked with: Debian's is the
// reference BLAS, one thread without vector instructions, 5 to 20 times slower than these.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

enum class Part {
  kAll,
  kLower,  ///< tiles that meet the lower triangle, diagonal included; the others are left alone
};

/// c += factor * a b for a [m, k], b [k, n], c [m, n]: CPU tensors of one dtype, float32 or float64, any strides in a
/// and b, unit stride along c's rows. Sums run over k in one fixed order, whatever the number of threads.
void add_product(const Tensor& c, const Tensor& a, const Tensor& b, double factor = 1, Part part = Part::kAll);

/// a b
Tensor product(const Tensor& a, const Tensor& b);

/// a^T a, symmetric to the last bit, for a [k, n].
Tensor gram(const Tensor& a);

/// Copies the lower triangle of a square matrix onto the upper one, in place.
void mirror_lower(const Tensor& square);

}  // namespace sextant::metrics
