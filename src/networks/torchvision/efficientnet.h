// EfficientNet and EfficientNetV2 as torchvision names and computes them (Tan and Le 2019, 2021).
#pragma once

#include <optional>

#include "conv_norm.h"
#include "sextant/networks/network.h"

namespace sextant::networks::torchvision {

struct EfficientNetConfig {
  struct Stage {
    bool fused = false;  ///< one 3x3 convolution in place of the 1x1 and the depthwise one; no squeeze and excitation
    int64_t expand = 1;
    int64_t kernel = 3;
    int64_t stride = 1;  ///< of the first layer
    int64_t in = 0;
    int64_t out = 0;
    int64_t layers = 0;
  };
  std::vector<Stage> stages;
  int64_t last_channels = 0;  ///< in front of the classifier
  double norm_eps = 1e-5;
  int64_t num_classes = 1000;
};

/// {"stages": [[fused, expand, kernel, stride, in, out, layers], ...], "last_channels", "norm_eps", "num_classes"};
/// CheckpointError for a missing, unknown or unusable entry.
EfficientNetConfig efficientnet_config(const nlohmann::json& model);

class EfficientNet : public ClassifierNetwork {
 public:
  explicit EfficientNet(const EfficientNetConfig& config);
  /// x [B, 3, H, W], any size from 32 on.
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override { return {"avgpool", "classifier"}; }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Block {
    std::vector<ConvNorm> convs;  ///< SiLU behind all but the last, and behind a single one
    std::optional<Conv2d> squeeze, excite;
    bool residual = false;
  };

  Block make_block(const Scope& scope, const EfficientNetConfig::Stage& stage, int64_t in, int64_t stride) const;
  Tensor run(const Block& block, const Tensor& x) const;
  void prepare() override;

  EfficientNetConfig config_;
  ConvNorm stem_;
  std::vector<Block> blocks_;
  ConvNorm last_;
  Linear classifier_;
};

}  // namespace sextant::networks::torchvision
