// Matrix products with the right side in panels.
#pragma once

#include "kernels/simd/table.h"
#include "sextant/tensor.h"

namespace sextant::kernels {

/// w [columns, depth] float32 as [ceil(columns / panel)][depth][panel].
Tensor to_panels(const Tensor& w);

/// y [rows, columns] = x w^T + bias + residual; x one or two float32 matrices side by side, given as rows of memory.
void multiply(at::TensorList x, const Tensor& panels, int64_t columns, const float* bias, const float* residual,
              const Tensor& y);

}  // namespace sextant::kernels
