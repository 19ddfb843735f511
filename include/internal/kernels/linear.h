// Rows of numbers times a matrix of weights, on a CPU without the BLAS: Debian's default is the reference one, and a
// faster one that is older than the processor takes its slowest loops.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// at::linear: x [..., I], weight [O, I], bias [O] or undefined; any dtype and device, differentiable in all three. Our
/// own loops in float32 where no gradient is wanted, frozen_linear otherwise. Throws ShapeError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// at::linear by the route of frozen_conv2d: in oneDNN, forward and backward, where the float32 weights are frozen.
Tensor frozen_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace sextant::kernels
