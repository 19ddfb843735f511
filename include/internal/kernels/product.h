// Matrix products in float32 and float64 on a CPU.
//
// They do not go through the BLAS that libtorch was linked with: the reference one is 5 to 20 times slower, OpenBLAS 3
// to 4 times where it is older than the processor and some 15 % faster in float32 where it knows it, and at::mm has no
// triangles, which are half of the work here. An element is summed in one fixed order, whatever the number of threads.
#pragma once

#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// Terms of an element that are added up in a row; the sums of such stretches are then added to each other.
inline constexpr int64_t kStretch = 512;

/// The right side of products, copied and laid out for this processor once.
class PackedMatrix {
 public:
  /// b [k, n] float32 or float64 on the CPU, any strides; ShapeError otherwise.
  explicit PackedMatrix(const Tensor& b);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  at::ScalarType dtype() const { return stretches_[0].scalar_type(); }
  /// Rows [i kStretch, (i + 1) kStretch) in panels.
  const std::vector<Tensor>& stretches() const { return stretches_; }

 private:
  int64_t rows_, columns_;
  std::vector<Tensor> stretches_;
};

enum class Part {
  kAll,
  kLower,  ///< blocks that meet the lower triangle, diagonal included; what lies in others is not touched
};

/// a b, or its first `columns` columns: a [m, k] of b's dtype, any strides. Returns [m, columns].
Tensor product(const Tensor& a, const PackedMatrix& b, int64_t columns);
Tensor product(const Tensor& a, const Tensor& b);

/// c += a b for a contiguous c [m, n]. Throws ShapeError.
void add_product(const Tensor& c, const Tensor& a, const PackedMatrix& b, Part part = Part::kAll);

/// a^T a, symmetric to the last bit, for a [k, n].
Tensor gram(const Tensor& a);

/// Copies the lower triangle of a square matrix onto the upper one, in place.
void mirror_lower(const Tensor& square);

}  // namespace sextant::kernels
