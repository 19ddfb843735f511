// Scaled dot-product attention (Vaswani et al. 2017) without a mask; fused as in norm.h.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// softmax(scale q k^T) v for q [B, heads, T, D], k and v [B, heads, S, D], any strides. Returns [B, T, heads * D]. The
/// softmax is float32 at least.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale);
/// By libtorch's own fused attention, which attention() takes on a GPU; the plain twin with libtorch before 2.1.
Tensor attention_of_libtorch(const Tensor& q, const Tensor& k, const Tensor& v, double scale);
Tensor attention_plain(const Tensor& q, const Tensor& k, const Tensor& v, double scale);

}  // namespace sextant::kernels
