// The narrow ResNets for CIFAR of He et al. 2015, section 4.2: three stages of 16, 32 and 64 channels, 6n + 2 layers,
// names of akamaster/pytorch_resnet_cifar10.
#pragma once

#include <optional>

#include "conv_norm.h"
#include "sextant/networks/network.h"

namespace sextant::networks::cifar {

struct ResNetConfig {
  std::vector<int64_t> num_blocks;  ///< n, n, n; depth 6n + 2
  int64_t num_classes = 10;
  bool projection =
      false;  ///< option B: 1x1 convolutions as shortcuts; option A: every second pixel, zeros around the channels
  double softplus_beta = 0;  ///< > 0 smooths every ReLU
};

/// CheckpointError for a missing, unknown or unusable entry.
ResNetConfig read_config(const nlohmann::json& model);

class ResNet : public ClassifierNetwork {
 public:
  explicit ResNet(const ResNetConfig& config);

  /// x [B, 3, H, W], 32x32 in the published ones.
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override {
    return {"avgpool", "layer1", "layer2", "layer3", "linear"};
  }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Block {
    ConvNorm first, second;
    std::optional<ConvNorm> projection;
    int64_t stride = 1;
    int64_t padding = 0;  ///< zero channels before and behind those of the shortcut
  };

  Tensor shortcut(const Block& block, const Tensor& x) const;
  void prepare() override;

  ResNetConfig config_;
  Relu relu_;
  ConvNorm stem_;
  std::vector<Block> blocks_;
  Linear linear_;
};

}  // namespace sextant::networks::cifar
