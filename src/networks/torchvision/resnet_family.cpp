// The sizes of ResNet (He et al. 2015), ResNeXt (Xie et al. 2017) and wide ResNet (Zagoruyko & Komodakis 2016).
#include "imagenet.h"
#include "initial.h"
#include "internal/networks/family.h"
#include "shapes.h"
#include "torchvision/resnet.h"

namespace sextant::networks::torchvision {
namespace {

Preset resnet(const char* name, const char* block, std::vector<int64_t> layers, int64_t groups = 1,
              int64_t width_per_group = 64) {
  return imagenet_preset(
      name, "resnet", 224,
      {{"block", block}, {"layers", layers}, {"groups", groups}, {"width_per_group", width_per_group}});
}

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

nlohmann::json deduce_resnet(const checkpoint::StateDict& weights) {
  const int64_t width = size_of(weights, "conv1.weight", 0);
  const std::vector<int64_t> layers = blocks_of_stages(weights);
  const std::string place = place_in_head(weights);
  const std::string head = place.empty() ? "fc.weight" : "fc." + place + ".weight";
  if (width == 0 || layers.empty() || !weights.contains(head)) return nullptr;
  const int64_t kernel = size_of(weights, "conv1.weight", 2), channels = size_of(weights, "conv1.weight", 1);
  nlohmann::json model = {{"block", "BasicBlock"},
                          {"layers", layers},
                          {"num_classes", size_of(weights, head, 0)},
                          {"in_channels", channels},
                          {"width", width},
                          {"stem_kernel", kernel},
                          {"stem_stride", kernel > 3 ? 2 : 1},
                          // As trained on CIFAR: without. The bundled ones for grey digits have it.
                          {"stem_pool", kernel > 3 || channels == 1}};
  if (!weights.contains("layer1.0.conv3.weight")) return model;
  const int64_t inner = size_of(weights, "layer1.0.conv2.weight", 0);
  const int64_t inner_of_group = size_of(weights, "layer1.0.conv2.weight", 1);
  if (inner_of_group == 0) return nullptr;
  const int64_t groups = inner / inner_of_group;
  model["block"] = "Bottleneck";
  model["groups"] = groups;
  model["width_per_group"] = inner * 64 / (width * std::max<int64_t>(groups, 1));
  return model;
}

std::string resnet_doubt(const nlohmann::json&, const checkpoint::StateDict& weights) {
  const std::string place = place_in_head(weights);
  if (place.empty()) return "";
  return "what stands beside the last layer, 'fc." + place +
         "', in its list; a dropout, which does nothing here, is "
         "assumed";
}

/// As torchvision starts it.
Tensor resnet_initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) {
  if (entry.shape.size() != 4) return default_initial(entry, all, noise);
  return he_initial(entry.shape[0] * entry.shape[2] * entry.shape[3], noise);
}

}  // namespace

Family resnet_family() {
  return {.type = "resnet",
          .role = Role::kClassifier,
          .make = make_from<ResNet, resnet_config>,
          .presets = resnet_presets,
          .deduce = deduce_resnet,
          .assumed = "stem_stride and stem_pool",
          .doubt = resnet_doubt,
          .initialise = resnet_initial};
}

}  // namespace sextant::networks::torchvision
