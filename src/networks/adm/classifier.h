// The noise-aware classifier of guided-diffusion (Dhariwal & Nichol 2021), class EncoderUNetModel.
#pragma once

#include <variant>

#include "adm/blocks.h"
#include "sextant/networks/network.h"

namespace sextant::networks::adm {

/// Norm, SiLU, mean over the pixels, linear.
class AdaptivePool {
 public:
  AdaptivePool(const Scope& scope, const Config& config, int64_t channels);
  Tensor operator()(const Tensor& h) const;

 private:
  kernels::GroupNorm norm_;
  Tensor weight_;  ///< [K, C, 1, 1]
  Tensor bias_;
};

/// Norm, SiLU, then CLIP's pooling: the mean as a token that looks at all pixels.
class AttentionPool {
 public:
  AttentionPool(const Scope& scope, const Config& config, int64_t channels, int64_t tokens);
  Tensor operator()(const Tensor& h) const;

 private:
  int64_t heads_;
  kernels::GroupNorm norm_;
  Tensor position_;               ///< [C, 1 + tokens]
  Tensor qkv_weight_, qkv_bias_;  ///< [3C, C, 1]
  Tensor out_weight_, out_bias_;  ///< [K, C, 1]
};

/// An MLP over the pixel means of every block's result.
class SpatialPool {
 public:
  SpatialPool(const Scope& scope, const Config& config, int64_t features);
  Tensor operator()(const Tensor& means) const;

 private:
  bool has_norm_;
  PreciseLinear first_;
  Tensor norm_weight_, norm_bias_;
  PreciseLinear second_;
};

class Classifier : public ClassifierNetwork {
 public:
  explicit Classifier(const Config& config);

  Tensor forward(const Tensor& x, const Tensor& t) const override;
  bool uses_time() const override { return true; }
  int64_t num_classes() const override { return config_.out_channels; }

 protected:
  void prepare() override { encoder_.lay_out(true); }

 private:
  using Pool = std::variant<AdaptivePool, AttentionPool, SpatialPool>;
  static Pool make_pool(const Scope& scope, const Config& config, const Encoder& encoder);

  Config config_;
  Embedding embedding_;
  Encoder encoder_;
  Pool pool_;
};

}  // namespace sextant::networks::adm
