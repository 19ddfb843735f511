// A convolution and the batch norm behind it, one convolution once frozen.
#pragma once

#include "layers.h"

namespace sextant::networks {

/// Weight and bias of the one convolution that equals `norm` behind a convolution: weight' = s weight,
/// bias' = s (bias - mean) + beta, with s = gamma / sqrt(var + eps) in float64. The weights lie channels_last.
std::pair<Tensor, Tensor> folded(const Tensor& weight, const Tensor& bias, const BatchNorm2d& norm);

class ConvNorm {
 public:
  ConvNorm() = default;
  /// Convolution and norm declare under the two scopes that the checkpoint names.
  ConvNorm(const Scope& conv, const Scope& norm, int64_t in, int64_t out, int64_t kernel, Conv2d::Options options,
           double eps = 1e-5);

  Tensor operator()(const Tensor& x) const;
  /// relu of it, and of the sum with `residual` where defined.
  Tensor operator()(const Tensor& x, const Relu& relu, const Tensor& residual = {}) const;

  /// To be called again when the weights change.
  void fold();

  const Conv2d& conv() const { return conv_; }

 private:
  Conv2d conv_;
  BatchNorm2d norm_;
  Tensor folded_weight_;  ///< undefined until fold()
  Tensor folded_bias_;
  kernels::TurnedWeight turned_;
};

/// The image as frozen classifiers compute it: in `type`, channels_last except in float64.
Tensor image_for(const Tensor& x, at::ScalarType type);

}  // namespace sextant::networks
