#include "imagenet.h"

namespace sextant::networks {

Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model) {
  return {
      name,
      {{"type", type},
       {"classes", 1000},
       {"input", {{"range", {0, 1}}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}, {"size", size}}},
       {"model", std::move(model)}}};
}

}  // namespace sextant::networks
