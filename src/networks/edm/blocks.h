// The layers that the U-Nets of "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras et al.
// 2022) share: resampling convolutions, residual blocks, noise-level embeddings. Names of tensors are those of
// NVlabs/edm.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config_reader.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/norm.h"
#include "internal/runtime/constant.h"
#include "layers.h"

namespace sextant::networks::edm {

enum class Resample { kNone, kUp, kDown };

/// A separable low-pass filter, normalised to sum 1, between resolutions. The outer product is the buffer
/// `resample_filter`.
struct Filter {
  Filter() = default;
  explicit Filter(const std::vector<double>& taps);
  Filter(const Scope& scope, const std::vector<double>& taps);  ///< declares the buffer
  Tensor up(const Tensor& x) const;                             ///< twice the size
  /// Half the size; without padding for an input that already has the filter's margin.
  Tensor down(const Tensor& x, bool padded = true) const;
  int64_t padding() const { return (length - 1) / 2; }  ///< on each side

  int64_t length = 0;
  bool box = false;  ///< [1, 1]: plain 2 x 2 averages and copies, which have fast kernels
  Tensor outer;      ///< [1, 1, length, length], at least float32
  Constant unnamed;  ///< the same, where it is no buffer of the network and does not move with it

 private:
  Tensor per_channel(const Tensor& x, double gain) const;
};

/// Resampling, then a convolution that keeps the size; `kernel` 0 resamples only.
struct Conv {
  Conv() = default;
  Conv(const Scope& scope, int64_t in, int64_t out, int64_t kernel, Resample resample = Resample::kNone,
       const std::vector<double>& taps = {1, 1});
  /// x: one image, or several to be joined along the channels where nothing is resampled; plus `residual` if defined.
  Tensor operator()(at::TensorList x, const Tensor& residual = {}) const;
  /// The convolution first, then the downsampling, the filter's margin convolved too: the order of NCSN++'s residual
  /// branch.
  Tensor convolve_then_down(const Tensor& x) const;
  /// Lays the weights out for results of this size.
  void lay_out(int64_t resolution, const std::vector<int64_t>& parts = {});

  Resample resample = Resample::kNone;
  Filter filter;
  int64_t kernel = 0;
  Tensor weight;
  Tensor bias;
  kernels::Convolution convolution;
};

/// CheckpointError where images of this side cannot be halved between that many levels.
void check_levels(const ConfigReader& config, std::size_t levels, int64_t resolution);

/// min(32, channels / 4) groups. CheckpointError where they do not divide the channels.
kernels::GroupNorm edm_group_norm(const Scope& scope, int64_t channels, double eps, bool silu);

/// A linear layer of the noise-level branch, whose weights stay in float32 at least in every precision, as in the
/// original.
Linear embedding_linear(const Scope& scope, int64_t in, int64_t out, bool with_bias = true);

/// [cos(f x), sin(f x)] of x [B], frequencies 10000^(-k / n), k = 0 .. count/2 - 1; n = count/2 - 1 with `endpoint`,
/// count/2 without. Returns [B, count] in the dtype of x.
Tensor positional_embedding(const Tensor& x, int64_t count, bool endpoint);

/// The same with frequencies 2 pi `frequencies`.
Tensor fourier_embedding(const Tensor& x, const Tensor& frequencies);

/// What all residual blocks of a network have in common.
struct BlockOptions {
  int64_t embedding_channels = 0;
  int64_t heads = 0;          ///< of attention; 0: one head for every 64 channels, and no attention below 64
  double residual_scale = 1;  ///< sqrt(1/2) keeps the variance of a sum
  double eps = 1e-5;
  bool project_skip = false;   ///< a 1 x 1 convolution on the skip path of every resampling block
  bool adaptive_scale = true;  ///< the noise level scales and shifts; otherwise it is added
  std::vector<double> taps = {1, 1};
};

class Block {
 public:
  /// `resolution` is that of the result, in pixels.
  Block(const Scope& scope, int64_t resolution, int64_t in, int64_t out, const BlockOptions& options, bool attention,
        Resample resample = Resample::kNone);
  /// x: images [B, ..., H, W] with `in` channels together; embedding [B or 1, embedding_channels]
  Tensor operator()(at::TensorList x, const Tensor& embedding) const;
  /// Lays the weights out, for an input in parts of so many channels.
  void lay_out(const std::vector<int64_t>& parts = {});

 private:
  Tensor attend(const Tensor& x) const;

  int64_t resolution_;
  double residual_scale_;
  bool adaptive_scale_;
  int64_t heads_;
  kernels::GroupNorm norm0_, norm1_, norm2_;
  Conv conv0_, conv1_, qkv_, proj_;
  Linear affine_;
  std::optional<Conv> skip_;
};

}  // namespace sextant::networks::edm
