#pragma once

#include "sextant/networks/network.h"

namespace sextant::networks {

/// A variational autoencoder between images and the latents that a latent diffusion model works on (Rombach et al.
/// 2022).
class Autoencoder : public Network {
 public:
  struct Latent {
    Tensor mean;     ///< [B, latent_channels, H / factor, W / factor], not yet scaled
    Tensor log_var;  ///< the same shape, in [-30, 20]
  };

  /// x [B, 3, H, W] in [-1, 1], H and W multiples of factor().
  virtual Latent encode(const Tensor& x) const = 0;
  /// z [B, latent_channels, h, w], not scaled; returns [B, 3, h factor, w factor], about [-1, 1], not clipped.
  virtual Tensor decode(const Tensor& z) const = 0;
  virtual int64_t latent_channels() const = 0;
  virtual int64_t factor() const = 0;
  virtual double scaling_factor() const = 0;  ///< the diffusion model sees mean * scaling_factor
};

}  // namespace sextant::networks
