// The small plain network whose features take Inception's place on MNIST.
#pragma once

#include <array>

#include "layers.h"
#include "sextant/networks/network.h"

namespace sextant::networks::mnist {

struct FeaturesConfig {
  int64_t image_size = 28;  ///< a multiple of 4
  int64_t in_channels = 1;
  std::array<int64_t, 4> channels = {16, 32, 64, 64};  ///< of the convolutions
  int64_t features = 128;
  int64_t num_classes = 10;
  double mean = 0.1307;  ///< of pixels in [0, 1]
  double std = 0.3081;
  double dropout = 0;  ///< before the last layer, in training
};

/// CheckpointError for an unknown or unusable entry.
FeaturesConfig read_config(const nlohmann::json& model);

/// conv1, conv2, pool, conv3, conv4, pool, fc1 -> "pool", fc2 -> "logits"; ReLU after all but the last.
class MnistFeatures : public FeatureNetwork {
 public:
  explicit MnistFeatures(const FeaturesConfig& config);
  Features forward(const Tensor& images) const override;
  int64_t channels() const override { return config_.in_channels; }
  int64_t image_size() const override { return config_.image_size; }

 private:
  FeaturesConfig config_;
  std::array<Conv2d, 4> convs_;
  Linear fc1_;
  Dropout dropout_;
  Linear fc2_;
};

}  // namespace sextant::networks::mnist
