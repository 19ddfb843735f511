// Small classifiers and networks that these tests share.
#pragma once

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <fstream>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "support/golden.h"

namespace sextant::models {

/// Random weights for a network, small enough that nothing overflows.
inline checkpoint::StateDict random_weights(const nlohmann::json& config, uint64_t seed = 1) {
  at::manual_seed(seed);
  checkpoint::StateDict weights;
  const auto network = build(config);
  for (const auto& entry : network->parameters().entries()) {
    if (entry.kind == networks::Parameters::Kind::kCounter || entry.kind == networks::Parameters::Kind::kConstant)
      continue;
    const bool matrix = entry.shape.size() > 1;
    weights.set(entry.name, matrix ? 0.1 * at::randn(entry.shape) : 0.1 * at::rand(entry.shape) + 0.5);
  }
  return weights;
}

inline void write_model(const std::filesystem::path& folder, const nlohmann::json& config,
                        const checkpoint::StateDict& weights) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config;
  checkpoint::save_safetensors(folder / "model.safetensors", weights);
}

/// d/dx sum_n log p(y_n | x_n)
inline Tensor log_prob_gradient(const guidance::Classifier& classifier, const Tensor& x, const Tensor& y,
                                const Tensor& t = {}) {
  const at::AutoGradMode with_grad(true);
  const Tensor leaf = x.detach().clone().requires_grad_();
  const Tensor log_p = at::log_softmax(classifier.logits(leaf, t), 1).gather(1, y.unsqueeze(1)).sum();
  return torch::autograd::grad({log_p}, {leaf})[0];
}

/// A CLIP of the real vocabulary and tiny towers.
inline nlohmann::json tiny_clip_config() {
  return {{"type", "clip"},
          {"input",
           {{"range", {0, 1}},
            {"mean", networks::kClipMean},
            {"std", networks::kClipStd},
            {"size", 16},
            {"resize", "bicubic"}}},
          {"model",
           {{"embed_dim", 8},
            {"image_resolution", 16},
            {"vision_layers", 1},
            {"vision_width", 64},
            {"vision_patch_size", 8},
            {"transformer_width", 64},
            {"transformer_heads", 1},
            {"transformer_layers", 1}}}};
}

}  // namespace sextant::models
