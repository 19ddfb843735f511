// Vision transformers as torchvision names and computes them (Dosovitskiy et al. 2021).
#pragma once

#include "layers.h"
#include "sextant/networks/network.h"

namespace sextant::networks::torchvision {

struct VitConfig {
  int64_t image_size = 224;
  int64_t patch_size = 16;
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t hidden_dim = 0;
  int64_t mlp_dim = 0;
  int64_t num_classes = 1000;
  int64_t representation_size = 0;  ///< > 0: a tanh layer of that width before the last
};

/// CheckpointError for a missing, unknown or unusable entry.
VitConfig vit_config(const nlohmann::json& model);

class Vit : public ClassifierNetwork {
 public:
  explicit Vit(const VitConfig& config);
  /// x [B, 3, image_size, image_size].
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override { return {"encoder", "heads"}; }
  int64_t image_size() const override { return config_.image_size; }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    Linear qkv, out, fc1, fc2;
  };

  Tensor attend(const Layer& layer, const Tensor& x) const;
  /// Older files call the two layers of an MLP linear_1 and linear_2.
  checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const override;

  VitConfig config_;
  Conv2d patches_;
  Tensor class_token_;
  Tensor positions_;
  std::vector<Layer> layers_;
  LayerNorm norm_;
  Linear pre_logits_;
  Linear head_;
};

}  // namespace sextant::networks::torchvision
