#pragma once

#include "sextant/networks/network.h"

namespace sextant::networks {

/// A network inside its preconditioning: estimates the clean image in x = image + sigma noise (Karras et al. 2022).
class EdmDenoiser : public Network {
 public:
  /// x [B, C, H, W]; sigma [B] or a single number for all, in (0, inf); labels: int64 ids [B], one-hot or mixed rows
  /// [B, K] or [1, K], or undefined for none (a row of zeros). An unconditional network ignores labels. Returns [B, C,
  /// H, W] in float32 at least. ShapeError for anything else.
  virtual Tensor denoise(const Tensor& x, const Tensor& sigma, const Tensor& labels = {}) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t num_classes() const = 0;               ///< K; 0 if unconditional
  virtual double sigma_min() const = 0;                  ///< smallest noise level the network was made for
  virtual double sigma_max() const = 0;                  ///< largest; may be infinite
  /// The nearest noise levels the network knows; sigma itself where it knows all. Any shape, dtype kept.
  virtual Tensor round_sigma(const Tensor& sigma) const { return sigma; }
};

}  // namespace sextant::networks
