#include "imagenet.h"

#include "sextant/networks/network.h"

namespace sextant::networks {

Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model) {
  return {name,
          {{"type", type},
           {"classes", 1000},
           {"input", {{"range", {0, 1}}, {"mean", kImageNetMean}, {"std", kImageNetStd}, {"size", size}}},
           {"model", std::move(model)}}};
}

}  // namespace sextant::networks
