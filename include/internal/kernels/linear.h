// Rows of numbers times a matrix of weights, on a CPU without the BLAS: Debian's default is the reference one, a faster
// one that is older than the processor takes its slowest loops, and all of them add up in an order that depends on how
// many rows there are.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// at::linear: x [B, ..., I], weight [O, I], bias [O] or undefined; any dtype and device, differentiable in all three.
/// Our own loops in float32 on a CPU where the weights are frozen: an image's result does not depend on the rest of its
/// batch, and there is one gradient, in x. Throws ShapeError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace sextant::kernels
