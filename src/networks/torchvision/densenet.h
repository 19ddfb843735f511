// DenseNet as torchvision names and computes it (Huang et al. 2017).
#pragma once

#include "conv_norm.h"
#include "sextant/networks/network.h"

namespace sextant::networks::torchvision {

struct DenseNetConfig {
  int64_t growth_rate = 32;
  std::vector<int64_t> block_config = {6, 12, 24, 16};  ///< layers of each dense block
  int64_t num_init_features = 64;
  int64_t bn_size = 4;  ///< width of a layer's bottleneck, in growth rates
  int64_t num_classes = 1000;
  double softplus_beta = 0;  ///< > 0 smooths every ReLU
};

/// CheckpointError for an unknown or unusable entry.
DenseNetConfig densenet_config(const nlohmann::json& model);

class DenseNet : public ClassifierNetwork {
 public:
  explicit DenseNet(const DenseNetConfig& config);
  /// x [B, 3, H, W], any size from 29 on.
  Tensor forward(const Tensor& x, const Tensor& t = {}) const override;
  int64_t num_classes() const override { return config_.num_classes; }
  std::vector<std::string> feature_layers() const override { return {"features", "classifier"}; }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override;

 private:
  struct Layer {
    BatchNorm2d norm;
    ConvNorm bottleneck;
    Conv2d grow;
  };
  struct Transition {
    BatchNorm2d norm;
    Conv2d conv;
  };

  Tensor run(const Layer& layer, const Tensor& x) const;
  /// The published files write norm.1 for norm1, and so on.
  checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const override;
  void prepare() override;

  DenseNetConfig config_;
  Relu relu_;
  ConvNorm stem_;
  std::vector<std::vector<Layer>> blocks_;
  std::vector<Transition> transitions_;  ///< one behind each block but the last
  BatchNorm2d norm_;
  Linear classifier_;
};

}  // namespace sextant::networks::torchvision
