// Functions of single numbers, for tensors of any shape, dtype and device.
//
// ATen's vector loops leave the last numbers of a thread's share to other instructions than those before, and the two
// differ in the last bit: a number's exponential then depends on where it stands, so on the batch around it and on the
// number of threads. On a CPU these compute ATen's functions in blocks of one size, the last one filled up, so that
// every number takes the vector's way. Differentiable once.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::pointwise {

Tensor exponential(const Tensor& x);
Tensor logarithm(const Tensor& x);
Tensor sine(const Tensor& x);
Tensor cosine(const Tensor& x);

Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e^-x)
Tensor hyperbolic_tangent(const Tensor& x);
Tensor silu(const Tensor& x);          ///< x sigmoid(x)
Tensor gelu(const Tensor& x);          ///< x Phi(x)
Tensor gelu_by_tanh(const Tensor& x);  ///< its approximation by a hyperbolic tangent

}  // namespace sextant::pointwise
