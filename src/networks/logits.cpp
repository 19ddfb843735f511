#include "logits.h"

#include <c10/util/StringUtil.h>

#include "sextant/runtime/error.h"

namespace sextant::networks {

void check_images(const char* network, const Tensor& x, int64_t channels, int64_t side) {
  const bool square = side == 0 || (x.dim() == 4 && x.size(2) == side && x.size(3) == side);
  if (x.dim() == 4 && x.size(1) == channels && square) return;
  const std::string size = side == 0 ? "H, W" : c10::str(side, ", ", side);
  throw ShapeError(c10::str(network, ": expected images [B, ", channels, ", ", size, "], got ", x.sizes()));
}

Tensor as_logits(const Tensor& y) { return y.to(at::promote_types(y.scalar_type(), at::kFloat)); }

}  // namespace sextant::networks
