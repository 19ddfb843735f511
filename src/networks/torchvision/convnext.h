// ConvNeXt as torchvision names and computes it (Liu et al. 2022).
#pragma once

#include <optional>

#include "layers.h"
#include "sextant/networks/network.h"

namespace sextant::networks::torchvision {

struct ConvNextConfig {
  struct Stage {
    int64_t in = 0;
    std::optional<int64_t> out;  ///< of the downsampling behind the blocks; none behind the last stage
    int64_t layers = 0;
  };
  std::vector<Stage> stages;
  int64_t num_classes = 1000;
};

/// CheckpointError for a missing, unknown or unusable entry.
ConvNextConfig convnext_config(const nlohmann::json& model);

class ConvNext : public ClassifierNetwork {
 public:
  explicit ConvNext(const ConvNextConfig& config);
  /// x [B, 3, H, W], any size from 32 on.
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override { return {"avgpool", "classifier"}; }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Block {
    Conv2d depthwise;
    LayerNorm norm;
    Linear fc1, fc2;
    Tensor scale;  ///< [C, 1, 1]
  };
  struct Stage {
    std::vector<Block> blocks;
    std::optional<LayerNorm> norm;  ///< before the downsampling
    Conv2d downsample;
  };

  Tensor run(const Block& block, const Tensor& x) const;

  ConvNextConfig config_;
  Conv2d stem_;
  LayerNorm stem_norm_;
  std::vector<Stage> stages_;
  LayerNorm norm_;
  Linear head_;
};

}  // namespace sextant::networks::torchvision
