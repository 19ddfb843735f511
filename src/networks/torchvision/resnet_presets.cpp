#include "torchvision/imagenet.h"

namespace sextant::networks {
namespace {

Preset resnet(const char* name, const char* block, std::vector<int64_t> layers, int64_t groups = 1,
              int64_t width_per_group = 64) {
  return imagenet_preset(
      name, "resnet", 224,
      {{"block", block}, {"layers", layers}, {"groups", groups}, {"width_per_group", width_per_group}});
}

}  // namespace

std::vector<Preset> resnet_presets() {
  return {
      resnet("resnet18", "BasicBlock", {2, 2, 2, 2}),
      resnet("resnet34", "BasicBlock", {3, 4, 6, 3}),
      resnet("resnet50", "Bottleneck", {3, 4, 6, 3}),
      resnet("resnet101", "Bottleneck", {3, 4, 23, 3}),
      resnet("resnet152", "Bottleneck", {3, 8, 36, 3}),
      resnet("resnext50_32x4d", "Bottleneck", {3, 4, 6, 3}, 32, 4),
      resnet("resnext101_32x8d", "Bottleneck", {3, 4, 23, 3}, 32, 8),
      resnet("resnext101_64x4d", "Bottleneck", {3, 4, 23, 3}, 64, 4),
      resnet("wide_resnet50_2", "Bottleneck", {3, 4, 6, 3}, 1, 128),
      resnet("wide_resnet101_2", "Bottleneck", {3, 4, 23, 3}, 1, 128),
  };
}

}  // namespace sextant::networks
