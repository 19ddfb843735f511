// Layers of the U-Nets of Karras et al. 2022 (EDM).
#include "edm/blocks.h"

#include <algorithm>
#include <cmath>

#include "internal/kernels/attention.h"
#include "internal/runtime/pointwise.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::edm {

Filter::Filter(const std::vector<double>& taps)
    : length(static_cast<int64_t>(taps.size())), box(taps == std::vector<double>{1, 1}) {
  const Tensor f = at::tensor(taps, at::kFloat);
  outer = (at::outer(f, f) / f.sum().square()).reshape({1, 1, length, length});
  unnamed = Constant(outer);
}

Filter::Filter(const Scope& scope, const std::vector<double>& taps) : Filter(taps) {
  outer = scope.constant("resample_filter", outer);
  unnamed = {};
}

Tensor Filter::per_channel(const Tensor& x, double gain) const {
  // A gain is a power of two: it rounds nothing, before or after the change of dtype.
  const Tensor taps = unnamed.defined() ? unnamed.like(x) * gain : (outer * gain).to(x.options());
  return taps.expand({x.size(1), 1, length, length});
}

Tensor Filter::up(const Tensor& x) const {
  if (box) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  // In float32 at least: oneDNN in libtorch 1.13 gives grouped bfloat16 transposes the wrong size.
  const Tensor wide = at_least_float(x);
  return at::conv_transpose2d(wide, per_channel(wide, 4), {}, 2, padding(), 0, x.size(1)).to(x.scalar_type());
}

Tensor Filter::down(const Tensor& x, bool padded) const {
  if (box) return at::avg_pool2d(x, 2);
  const int64_t pad = padded ? padding() : 0;
  return kernels::frozen_conv2d(x, per_channel(x, 1), {}, {2, pad, 1, x.size(1)});
}

Conv::Conv(const Scope& scope, int64_t in, int64_t out, int64_t kernel_, Resample resample_,
           const std::vector<double>& taps)
    : resample(resample_), kernel(kernel_) {
  if (kernel > 0) {
    weight = scope.weight("weight", {out, in, kernel, kernel});
    bias = scope.weight("bias", {out});
    convolution = kernels::Convolution(weight, bias, 1, kernel / 2);
  }
  if (resample != Resample::kNone) filter = Filter(scope, taps);
}

Tensor Conv::operator()(at::TensorList x, const Tensor& residual) const {
  if (resample == Resample::kNone) return convolution(x, residual);
  const Tensor resampled = resample == Resample::kUp ? filter.up(x[0]) : filter.down(x[0]);
  return kernel > 0 ? convolution(resampled, residual) : resampled;
}

Tensor Conv::convolve_then_down(const Tensor& x) const {
  const Tensor wide = kernels::frozen_conv2d(x, weight, {}, {1, kernel / 2 + filter.padding()});
  return filter.down(wide, false) + bias.reshape({1, -1, 1, 1});
}

void Conv::lay_out(int64_t resolution, const std::vector<int64_t>& parts) {
  if (kernel > 0) convolution.lay_out(resolution, resolution, parts);
}

void check_levels(const ConfigReader& config, std::size_t levels, int64_t resolution) {
  constexpr std::size_t kMost = 63;  // beyond, a shift of an int64 says nothing
  if (levels >= 1 && levels <= kMost && resolution >> (levels - 1) >= 1) return;
  config.fail(c10::str("channel_mult has ", levels, " levels, which do not fit into ", resolution, " x ", resolution,
                       " pixels"));
}

kernels::GroupNorm edm_group_norm(const Scope& scope, int64_t channels, double eps, bool silu) {
  const int64_t groups = std::min<int64_t>(32, channels / 4);
  if (groups < 1 || channels % groups != 0) {
    throw CheckpointError(c10::str("edm: ", channels, " channels do not divide into ", groups,
                                   " groups; check model_channels and channel_mult"));
  }
  kernels::GroupNorm norm;
  norm.groups = groups;
  norm.eps = eps;
  norm.weight = scope.norm("weight", {channels});
  norm.bias = scope.norm("bias", {channels});
  norm.silu = silu;
  return norm;
}

Linear embedding_linear(const Scope& scope, int64_t in, int64_t out, bool with_bias) {
  Linear linear;
  linear.weight = scope.norm("weight", {out, in});
  if (with_bias) linear.bias = scope.norm("bias", {out});
  return linear;
}

Tensor positional_embedding(const Tensor& x, int64_t count, bool endpoint) {
  const int64_t half = count / 2;
  const Tensor k = at::arange(half, x.options());
  const Tensor angle = at::outer(x, at::pow(1.0 / 10000, k / static_cast<double>(half - (endpoint ? 1 : 0))));
  return at::cat({pointwise::cosine(angle), pointwise::sine(angle)}, 1);
}

Tensor fourier_embedding(const Tensor& x, const Tensor& frequencies) {
  const Tensor angle = at::outer(x, (2 * M_PI * frequencies).to(x.scalar_type()));
  return at::cat({pointwise::cosine(angle), pointwise::sine(angle)}, 1);
}

Block::Block(const Scope& scope, int64_t resolution, int64_t in, int64_t out, const BlockOptions& options,
             bool attention, Resample resample)
    : resolution_(resolution),
      residual_scale_(options.residual_scale),
      adaptive_scale_(options.adaptive_scale),
      heads_(!attention          ? 0
             : options.heads > 0 ? options.heads
                                 : out / 64),
      norm0_(edm_group_norm(scope / "norm0", in, options.eps, true)),
      norm1_(edm_group_norm(scope / "norm1", out, options.eps, true)),
      conv0_(scope / "conv0", in, out, 3, resample, options.taps),
      conv1_(scope / "conv1", out, out, 3),
      affine_(embedding_linear(scope / "affine", options.embedding_channels, adaptive_scale_ ? 2 * out : out)) {
  if (in != out || resample != Resample::kNone) {
    const int64_t kernel = options.project_skip || in != out ? 1 : 0;
    skip_ = Conv(scope / "skip", in, out, kernel, resample, options.taps);
  }
  if (heads_ == 0) return;
  norm2_ = edm_group_norm(scope / "norm2", out, options.eps, false);
  qkv_ = Conv(scope / "qkv", out, 3 * out, 1);
  proj_ = Conv(scope / "proj", out, out, 1);
}

void Block::lay_out(const std::vector<int64_t>& parts) {
  conv0_.lay_out(resolution_);
  conv1_.lay_out(resolution_);
  if (skip_) skip_->lay_out(resolution_, parts);
  qkv_.lay_out(resolution_);
  proj_.lay_out(resolution_);
}

Tensor Block::operator()(at::TensorList x, const Tensor& embedding) const {
  Tensor h = conv0_(kernels::group_norm(x, norm0_));
  const int64_t C = h.size(1);
  const Tensor condition = affine_(embedding).expand({h.size(0), -1});
  kernels::GroupNorm norm = norm1_;
  if (adaptive_scale_) {
    norm.scale = condition.narrow(1, 0, C);
    norm.shift = condition.narrow(1, C, C);
  } else {
    norm.added = condition;
  }
  const Tensor skip = skip_ ? (*skip_)(x) : x.size() == 1 ? x[0] : at::cat(x, 1);
  h = conv1_(kernels::group_norm(h, norm), skip);
  if (residual_scale_ != 1) h = h * residual_scale_;
  return heads_ > 0 ? attend(h) : h;
}

Tensor Block::attend(const Tensor& x) const {
  const int64_t B = x.size(0), C = x.size(1), H = x.size(2), W = x.size(3), D = C / heads_;
  // Channels are ordered [heads, channels of a head, (q, k, v)].
  const Tensor qkv = qkv_(kernels::group_norm(x, norm2_)).permute({0, 2, 3, 1}).reshape({B, H * W, heads_, D, 3});
  const auto part = [&](int64_t i) { return qkv.select(4, i).transpose(1, 2); };  // [B, heads, H W, D]
  const Tensor seen = kernels::attention(part(0), part(1), part(2), 1 / std::sqrt(D));
  const Tensor sum = proj_(seen.reshape({B, H, W, C}).permute({0, 3, 1, 2}), x);
  return residual_scale_ != 1 ? sum * residual_scale_ : sum;
}

}  // namespace sextant::networks::edm
