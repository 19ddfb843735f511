// A convolution's bias, the addition behind it and the activation, by our own CUDA kernels in one pass.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// Whether sum_on_card() computes it: x of a GPU in float32, bfloat16 or float16 that fills its memory, channels last
/// where there is a bias; residual in the same layout; no gradient of the bias wanted; and own_cuda_kernels().
bool fits_card(const Tensor& x, const Tensor& bias, const Tensor& residual);

/// act(x + bias + residual), x overwritten: a temporary that nothing else reads. bias [C] and residual may be
/// undefined. `beta` as in activation.h, where `activates`; else act is the identity. Gradients in x and residual.
Tensor sum_on_card(Tensor x, const Tensor& bias, const Tensor& residual, bool activates = false, double beta = 0);

}  // namespace sextant::kernels
