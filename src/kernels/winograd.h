// 3x3 convolution, stride 1, padding 1, by Winograd's F(2x2, 3x3).
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// weight [out, in, 3, 3] float32, out and in multiples of 16, as [panels of out][16][in][panel].
Tensor to_winograd(const Tensor& weight);

/// y = x * weight + bias + residual, all float32 channels last; `weight` from to_winograd.
void convolve_winograd(const Tensor& x, const Tensor& weight, int64_t out, const float* bias, const float* residual,
                       const Tensor& y);

}  // namespace sextant::kernels
