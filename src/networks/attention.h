// Scaled dot-product attention on batches of matrices.
#pragma once

#include "sextant/tensor.h"

namespace sextant::networks {

/// softmax(scale q k^T + mask) v with the softmax in float32 at least.
///
///   q [B, L, D], k [B, M, D], v [B, M, E], one dtype, any strides; B counts images times heads
///   mask     [L, M] or undefined, -inf where a query must not look
///   returns  [B, L, E] in the dtype of v
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const Tensor& mask = {});

}  // namespace sextant::networks
