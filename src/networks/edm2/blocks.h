// Magnitude-preserving layers of EDM2 (Karras et al. 2024): with inputs of variance 1, outputs have variance 1.
#pragma once

#include <limits>
#include <vector>

#include "edm/blocks.h"

namespace sextant::networks::edm2 {

/// A convolution or linear layer whose weights, for each output, are divided by their length: no bias, no norm layer
/// needed.
struct MpConv {
  MpConv() = default;
  /// kernel 0: linear, on [B, in], with weights in float32 at least in every precision.
  MpConv(const Scope& scope, int64_t in, int64_t out, int64_t kernel);
  /// Times a learned number, where there is one: `gain` 0-D.
  Tensor operator()(const Tensor& x, const Tensor& gain = {}) const;
  /// Keeps the normalised weights, laid out for images of `resolution` pixels, instead of dividing anew for each input.
  void prepare(int64_t resolution);

  Tensor weight;

 private:
  Tensor normalized() const;

  Tensor prepared_;
  kernels::Convolution convolution_;  ///< of `prepared_`
};

/// x / (1e-4 + root mean square over `dim`)
Tensor mp_normalize(const Tensor& x, int64_t dim);
/// SiLU divided by its root mean square for normal input.
Tensor mp_silu(const Tensor& x);
/// (1 - t) a + t b, scaled to keep the variance of independent a and b.
Tensor mp_sum(const Tensor& a, const Tensor& b, double t);
/// Channels of a and of b, weighted so that both contribute as 1 - t to t whatever their numbers.
Tensor mp_cat(const Tensor& a, const Tensor& b, double t);

/// sqrt(2) cos(x f + phase) of x [B]: [B, count].
struct MpFourier {
  MpFourier() = default;
  MpFourier(const Scope& scope, int64_t count);
  Tensor operator()(const Tensor& x) const;

  Tensor frequencies;
  Tensor phases;
};

struct BlockOptions {
  int64_t embedding_channels = 0;
  int64_t channels_per_head = 64;
  double residual_balance = 0.3;   ///< 0: the main path alone, 1: the residual branch alone
  double attention_balance = 0.3;  ///< likewise
  double clip = 256;               ///< activations stay in [-clip, clip]; infinity turns it off
  std::vector<double> taps = {1, 1};
};

class Block {
 public:
  enum class Side { kEncoder, kDecoder };

  /// `resolution` is that of the result, in pixels.
  Block(const Scope& scope, int64_t resolution, int64_t in, int64_t out, const BlockOptions& options, Side side,
        bool attention, edm::Resample resample = edm::Resample::kNone);
  /// x [B, in, H, W], embedding [B or 1, embedding_channels]
  Tensor operator()(const Tensor& x, const Tensor& embedding) const;
  void prepare();

 private:
  Tensor attend(const Tensor& x) const;

  int64_t resolution_;
  BlockOptions options_;
  Side side_;
  edm::Resample resample_;
  edm::Filter filter_;
  int64_t heads_;
  bool project_;
  Tensor embedding_gain_;
  MpConv res0_, embedding_, res1_, skip_, qkv_, proj_;
};

}  // namespace sextant::networks::edm2
