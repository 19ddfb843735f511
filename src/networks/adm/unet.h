// The U-Net of guided-diffusion (Dhariwal & Nichol 2021), class UNetModel.
#pragma once

#include "adm/blocks.h"
#include "sextant/networks/network.h"

namespace sextant::networks::adm {

class UNet : public NoiseNetwork {
 public:
  explicit UNet(const Config& config);

  /// ShapeError unless x fits in_channels and its sides can be halved once per level, and y is there exactly when the
  /// network has classes.
  Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const override;
  std::vector<int64_t> image_shape() const override {
    return {config_.in_channels, config_.image_size, config_.image_size};
  }
  int64_t out_channels() const override { return config_.out_channels; }
  int64_t num_classes() const override { return config_.num_classes; }

 protected:
  void prepare() override;

 private:
  Config config_;
  Embedding embedding_;
  Encoder encoder_;
  std::vector<Block> output_blocks_;
  std::vector<std::vector<int64_t>> output_parts_;  ///< channels of each output block's two inputs
  std::vector<int64_t> output_sizes_;               ///< and their height
  kernels::GroupNorm out_norm_;
  kernels::Convolution out_convolution_;
};

}  // namespace sextant::networks::adm
