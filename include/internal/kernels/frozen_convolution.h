// Convolutions and matrix products with frozen weights, by oneDNN on a CPU.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

struct ConvOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
  int64_t padding_width = -1;  ///< padding left and right where it is not `padding`

  int64_t columns() const { return padding_width < 0 ? padding : padding_width; }
};

/// at::conv2d: x [B, C, H, W], weight [O, C / groups, k, k], bias [O] or undefined; any dtype and device.
/// Differentiable in x, and in the weights where they ask for it.
///
/// With frozen float32 weights on a CPU it always runs in oneDNN, forward and backward. at::conv2d leaves small batches
/// (and, with one thread, every 1x1 convolution) to a plain BLAS product, which is thirty times slower where the BLAS
/// is the reference one, as in Debian's libtorch. Fastest when x and weight are channels_last.
Tensor frozen_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options);

/// at::linear: x [..., I], weight [O, I], bias [O] or undefined; by the same route.
Tensor frozen_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace sextant::kernels
