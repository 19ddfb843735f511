#include "networks/presets.h"

namespace sextant::networks {

using nlohmann::json;

namespace {

json resnet(const char* block, std::vector<int64_t> layers, int64_t groups = 1, int64_t width_per_group = 64) {
  return {
      {"type", "resnet"},
      {"classes", 1000},
      {"input", {{"range", {0, 1}}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}, {"size", 224}}},
      {"model", {{"block", block}, {"layers", layers}, {"groups", groups}, {"width_per_group", width_per_group}}}};
}

}  // namespace

std::vector<Preset> resnet_presets() {
  return {
      {"resnet18", resnet("BasicBlock", {2, 2, 2, 2})},
      {"resnet34", resnet("BasicBlock", {3, 4, 6, 3})},
      {"resnet50", resnet("Bottleneck", {3, 4, 6, 3})},
      {"resnet101", resnet("Bottleneck", {3, 4, 23, 3})},
      {"resnet152", resnet("Bottleneck", {3, 8, 36, 3})},
      {"resnext50_32x4d", resnet("Bottleneck", {3, 4, 6, 3}, 32, 4)},
      {"resnext101_32x8d", resnet("Bottleneck", {3, 4, 23, 3}, 32, 8)},
      {"resnext101_64x4d", resnet("Bottleneck", {3, 4, 23, 3}, 64, 4)},
      {"wide_resnet50_2", resnet("Bottleneck", {3, 4, 6, 3}, 1, 128)},
      {"wide_resnet101_2", resnet("Bottleneck", {3, 4, 23, 3}, 1, 128)},
  };
}

}  // namespace sextant::networks
