// The classifiers' activation, fused with the addition before it.
//
//   act(x) = max(x, 0)                    beta = 0
//   act(x) = log(1 + exp(beta x)) / beta  beta > 0: ReLU's smoothing (Ma et al. 2023, section 4.2)
//
// On a CPU in float32 and bfloat16 these take one pass over memory forward and one backward, which needs the result
// alone; the sum `x + residual` and the input are never kept. libtorch's own softplus takes five times as long. Results
// below the smallest normal number are 0: denormal numbers would slow the convolutions after them tenfold.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// act(x), differentiable once in x. May overwrite `x`: pass a temporary that nothing else reads. Any dtype, device and
/// strides.
Tensor activate(Tensor x, double beta);

/// act(x + residual), of one shape and dtype, differentiable once in both. May overwrite `x`, never `residual`.
Tensor add_activate(Tensor x, const Tensor& residual, double beta);

}  // namespace sextant::kernels
