// Hyper-parameters of CLIP (Radford et al. 2021), as openai/CLIP reads them off the weights.
#include "clip/config.h"

#include <cmath>
#include <set>

#include "sextant/runtime/error.h"

namespace sextant::networks::clip {
namespace {

/// How many different numbers follow `prefix` in the names: the layers of a list of modules.
int64_t count_layers(const checkpoint::StateDict& weights, const std::string& prefix) {
  std::set<std::string> numbers;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with(prefix))
      numbers.insert(name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size()));
  }
  return static_cast<int64_t>(numbers.size());
}

const Tensor& weight(const checkpoint::StateDict& weights, const std::string& name, int64_t dim) {
  if (!weights.contains(name) || weights.at(name).dim() != dim) {
    throw CheckpointError("clip: the weights are not those of a CLIP model: '" + name +
                          "' is missing or has another rank");
  }
  return weights.at(name);
}

int64_t grid_of(const Tensor& positions) { return std::llround(std::sqrt(static_cast<double>(positions.size(0) - 1))); }

}  // namespace

nlohmann::json config_of(const checkpoint::StateDict& weights) {
  nlohmann::json config;
  if (weights.contains("visual.proj")) {
    const Tensor patch = weight(weights, "visual.conv1.weight", 4);
    config["vision_width"] = patch.size(0);
    config["vision_layers"] = count_layers(weights, "visual.transformer.resblocks.");
    config["vision_patch_size"] = patch.size(3);
    config["image_resolution"] = patch.size(3) * grid_of(weight(weights, "visual.positional_embedding", 2));
    const int64_t hidden = weight(weights, "visual.transformer.resblocks.0.mlp.c_fc.weight", 2).size(0);
    if (hidden != 4 * patch.size(0)) config["vision_mlp_width"] = hidden;
  } else {
    config["vision_width"] = weight(weights, "visual.layer1.0.conv1.weight", 4).size(0);
    config["vision_layers"] = {count_layers(weights, "visual.layer1."), count_layers(weights, "visual.layer2."),
                               count_layers(weights, "visual.layer3."), count_layers(weights, "visual.layer4.")};
    config["vision_patch_size"] = nullptr;
    config["image_resolution"] = 32 * grid_of(weight(weights, "visual.attnpool.positional_embedding", 2));
  }
  const int64_t width = weight(weights, "ln_final.weight", 1).size(0);
  config["embed_dim"] = weight(weights, "text_projection", 2).size(1);
  config["context_length"] = weight(weights, "positional_embedding", 2).size(0);
  config["vocab_size"] = weight(weights, "token_embedding.weight", 2).size(0);
  config["transformer_width"] = width;
  config["transformer_heads"] = width / 64;
  config["transformer_layers"] = count_layers(weights, "transformer.resblocks.");
  return config;
}

}  // namespace sextant::networks::clip
