#include "internal/networks/deduce.h"

#include "clip/config.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {

using nlohmann::json;

namespace {

/// Blocks of each of the stages "layer1", "layer2", ...
std::vector<int64_t> blocks_of_stages(const checkpoint::StateDict& weights) {
  std::vector<int64_t> blocks;
  for (;;) {
    const std::string stage = "layer" + std::to_string(blocks.size() + 1) + ".";
    int64_t count = 0;
    while (weights.contains(stage + std::to_string(count) + ".conv1.weight")) ++count;
    if (count == 0) return blocks;
    blocks.push_back(count);
  }
}

}  // namespace

int64_t size_of(const checkpoint::StateDict& weights, const std::string& name, int64_t dim) {
  if (!weights.contains(name) || weights.at(name).dim() <= dim) return 0;
  return weights.at(name).size(dim);
}

json deduce_resnet(const checkpoint::StateDict& weights) {
  const int64_t width = size_of(weights, "conv1.weight", 0);
  const std::vector<int64_t> layers = blocks_of_stages(weights);
  if (width == 0 || layers.empty() || !weights.contains("fc.weight")) return nullptr;
  const int64_t kernel = size_of(weights, "conv1.weight", 2);
  json model = {{"block", "BasicBlock"},
                {"layers", layers},
                {"num_classes", size_of(weights, "fc.weight", 0)},
                {"in_channels", size_of(weights, "conv1.weight", 1)},
                {"width", width},
                {"stem_kernel", kernel},
                {"stem_stride", kernel > 3 ? 2 : 1}};
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

json deduce_cifar_resnet(const checkpoint::StateDict& weights) {
  const std::vector<int64_t> blocks = blocks_of_stages(weights);
  if (blocks.size() != 3 || !weights.contains("linear.weight")) return nullptr;
  return {{"num_blocks", blocks},
          {"num_classes", size_of(weights, "linear.weight", 0)},
          {"option", weights.contains("layer2.0.shortcut.0.weight") ? "B" : "A"}};
}

json deduce_mnist_features(const checkpoint::StateDict& weights) {
  std::vector<int64_t> channels;
  for (int i = 1; i <= 4; ++i) channels.push_back(size_of(weights, "conv" + std::to_string(i) + ".weight", 0));
  const int64_t inputs = size_of(weights, "fc1.weight", 1);
  if (channels.back() == 0 || inputs == 0 || !weights.contains("fc2.weight")) return nullptr;
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(inputs / channels.back()))));
  return {{"image_size", 4 * side},
          {"in_channels", size_of(weights, "conv1.weight", 1)},
          {"channels", channels},
          {"features", size_of(weights, "fc1.weight", 0)},
          {"num_classes", size_of(weights, "fc2.weight", 0)}};
}

json deduce_clip(const checkpoint::StateDict& weights) {
  try {
    return clip_config(weights);
  } catch (const CheckpointError&) {
    return nullptr;
  }
}

}  // namespace sextant::networks
