#include "networks/attention.h"

namespace sextant::networks {

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const Tensor& mask) {
  // The queries are scaled rather than the products: fewer numbers, and float16 products stay in range.
  Tensor logits = at::bmm(q * scale, k.transpose(1, 2));
  if (mask.defined()) logits = logits + mask;
  const at::ScalarType type = v.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::bmm(at::softmax(logits, -1, type).to(v.scalar_type()), v);
}

}  // namespace sextant::networks
