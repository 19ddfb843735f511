#pragma once

#include "sextant/networks/network.h"

namespace sextant::networks {

/// A network that predicts noise (and perhaps variance) from a noisy image.
class NoiseNetwork : public Network {
 public:
  /// x [B, C, H, W]; t [B], the model's own timesteps, integral or floating; y [B] int64 class labels, or undefined for
  /// a network without classes. Returns [B, C_out, H, W] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t out_channels() const = 0;
  virtual int64_t num_classes() const = 0;  ///< rows of the label table, the null class included; 0 if unconditional
  /// Channels that the published sampler's classifier-free guidance acts on.
  virtual int64_t cfg_channels() const { return image_shape()[0]; }
};

}  // namespace sextant::networks
