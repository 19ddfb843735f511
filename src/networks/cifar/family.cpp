// The depths of He et al. 2015, section 4.2.
#include "internal/networks/family.h"

#include "cifar/resnet.h"
#include "imagenet.h"
#include "initial.h"
#include "shapes.h"

namespace sextant::networks::cifar {
namespace {

std::vector<Preset> presets() {
  std::vector<Preset> presets;
  for (const int64_t depth : {20, 32, 44, 56, 110, 1202}) {
    const int64_t n = (depth - 2) / 6;
    Preset preset =
        imagenet_preset("cifar-resnet" + std::to_string(depth), "cifar-resnet", 32, {{"num_blocks", {n, n, n}}});
    preset.config["classes"] = 10;
    presets.push_back(std::move(preset));
  }
  return presets;
}

nlohmann::json deduce(const checkpoint::StateDict& weights) {
  const std::vector<int64_t> blocks = blocks_of_stages(weights);
  if (blocks.size() != 3 || !weights.contains("linear.weight")) return nullptr;
  return {{"num_blocks", blocks},
          {"num_classes", size_of(weights, "linear.weight", 0)},
          {"option", weights.contains("layer2.0.shortcut.0.weight") ? "B" : "A"}};
}

Tensor initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) {
  return entry.shape.size() >= 2 ? he_initial(fan_in(entry), noise) : default_initial(entry, all, noise);
}

}  // namespace

Family resnet_family() {
  return {.type = "cifar-resnet",
          .role = Role::kClassifier,
          .make = make_from<ResNet, read_config>,
          .presets = presets,
          .deduce = deduce,
          .initialise = initial};
}

}  // namespace sextant::networks::cifar
