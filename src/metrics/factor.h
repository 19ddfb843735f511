// Square factors of covariances.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

/// L^T [r, n] with covariance = L L^T up to rounding, r the numerical rank (0 for a zero matrix). `covariance` [n, n]
/// is symmetric float64. What is negative beyond rounding (a matrix rounded to float32, say) is taken as zero.
Tensor transposed_factor(const Tensor& covariance);

}  // namespace sextant::metrics
