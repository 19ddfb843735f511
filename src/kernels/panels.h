// Matrix products with the right side in panels, dealt to threads.
#pragma once

#include <algorithm>

#include "sextant/runtime/tensor.h"
#include "simd/table.h"

namespace sextant::kernels {

/// Columns of a panel.
template <class T>
int64_t panel_of() {
  return simd().panel * static_cast<int64_t>(sizeof(float)) / static_cast<int64_t>(sizeof(T));
}

/// Numbers of `columns` columns in whole panels, per row.
template <class T = float>
int64_t in_panels(int64_t columns) {
  return (columns + panel_of<T>() - 1) / panel_of<T>() * panel_of<T>();
}

/// `rows` x `columns` numbers, times `factor`, as [ceil(columns / panel)][rows][panel], zeros beyond the columns.
template <class From, class To>
void to_panels(const From* from, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
               int64_t panel, To factor, To* to) {
  for (int64_t first = 0; first < columns; first += panel) {
    const int64_t count = std::min(panel, columns - first);
    for (int64_t row = 0; row < rows; ++row, to += panel) {
      const From* const line = from + row * row_stride + first * column_stride;
      for (int64_t i = 0; i < count; ++i) to[i] = factor * static_cast<To>(line[i * column_stride]);
      std::fill(to + count, to + panel, To(0));
    }
  }
}

/// b [depth, columns] float32 or float64, any strides, as [ceil(columns / panel), depth, panel].
Tensor to_panels(const Tensor& b);

/// A job with all but its panels and its scratch space: all panels, or `lower`, those that meet the lower triangle of
/// y.
template <class T>
void run(const Gemm<T>& whole, bool lower = false);

/// y [rows, columns] = x b + bias + residual for b in panels; x one or two float32 matrices [rows, depth] side by side,
/// or images as rows of channels.
void multiply(at::TensorList x, const Tensor& panels, int64_t columns, const float* bias, const float* residual,
              const Tensor& y);

/// a b for a [B, H, M, K] and b [B, H, K, N], float32 on a CPU, any strides; differentiable in both.
Tensor matrix_product(const Tensor& a, const Tensor& b);

}  // namespace sextant::kernels
