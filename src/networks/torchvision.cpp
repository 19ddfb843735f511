#include "torchvision.h"

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

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model) {
  return {
      name,
      {{"type", type},
       {"classes", 1000},
       {"input", {{"range", {0, 1}}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}, {"size", size}}},
       {"model", std::move(model)}}};
}

}  // namespace sextant::networks
