// ResNet, ResNeXt and wide ResNet as torchvision names and computes them (He et al. 2015; stride in the 3x3
// convolution), of any width and depth; and the narrow ones for MNIST-sized images.
#pragma once

#include <optional>

#include "conv_norm.h"
#include "sextant/networks/network.h"

namespace sextant::networks::torchvision {

struct ResNetConfig {
  bool bottleneck = true;       ///< Bottleneck, or BasicBlock
  std::vector<int64_t> layers;  ///< blocks of each stage
  int64_t num_classes = 1000;
  int64_t in_channels = 3;
  int64_t width = 64;            ///< channels of the stem; stage i has width 2^i (times 4 behind bottlenecks)
  int64_t groups = 1;            ///< of the 3x3 convolution of a Bottleneck
  int64_t width_per_group = 64;  ///< 64: as wide as the stage
  int64_t stem_kernel = 7;
  int64_t stem_stride = 2;
  bool stem_pool = true;      ///< 3x3 max pooling of stride 2 behind the stem
  std::vector<bool> dilated;  ///< stages 1.. that dilate instead of striding (replace_stride_with_dilation)
  double softplus_beta = 0;   ///< > 0 smooths every ReLU
};

/// CheckpointError for a missing, unknown or unusable entry.
ResNetConfig resnet_config(const nlohmann::json& model);

/// The number of the last layer in a list of layers that was put in its place ("fc.1.weight"), where that is the only
/// one of the list with weights; "" elsewhere. Fine-tuning makes such lists of a dropout and the layer.
std::string place_in_head(const checkpoint::StateDict& weights);

class ResNet : public ClassifierNetwork {
 public:
  explicit ResNet(const ResNetConfig& config);

  /// x [B, in_channels, H, W], any size.
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override;
  /// A last layer at place_in_head() is taken as "fc".
  checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const override;

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Block {
    std::vector<ConvNorm> convs;  ///< two of a BasicBlock, three of a Bottleneck
    std::optional<ConvNorm> downsample;
  };

  struct Stage {
    int64_t planes, stride, dilation;
  };

  Block make_block(const Scope& scope, int64_t in, const Stage& stage) const;
  Tensor run(const Block& block, const Tensor& x) const;
  void prepare() override;

  ResNetConfig config_;
  Relu relu_;
  ConvNorm stem_;
  std::vector<Block> blocks_;
  Linear fc_;
};

}  // namespace sextant::networks::torchvision
