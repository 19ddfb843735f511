#include "torchvision/imagenet.h"

namespace sextant::networks {

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
