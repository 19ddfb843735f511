#include "networks/edm_layers.h"

#include <algorithm>
#include <cmath>

#include "networks/attention.h"
#include "sextant/error.h"

namespace sextant::networks {

EdmFilter::EdmFilter(const std::vector<double>& taps)
    : length(static_cast<int64_t>(taps.size())), box(taps == std::vector<double>{1, 1}) {
  const Tensor f = at::tensor(taps, at::kFloat);
  outer = (at::outer(f, f) / f.sum().square()).reshape({1, 1, length, length});
}

EdmFilter::EdmFilter(const Scope& scope, const std::vector<double>& taps) : EdmFilter(taps) {
  outer = scope.constant("resample_filter", outer);
}

Tensor EdmFilter::per_channel(const Tensor& x, double gain) const {
  return (outer * gain).to(x.options()).expand({x.size(1), 1, length, length});
}

Tensor EdmFilter::up(const Tensor& x) const {
  if (box) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  // In float32 at least: oneDNN in libtorch 1.13 gives grouped bfloat16 transposes the wrong size.
  const Tensor wide = at_least_float(x);
  return at::conv_transpose2d(wide, per_channel(wide, 4), {}, 2, padding(), 0, x.size(1)).to(x.scalar_type());
}

Tensor EdmFilter::down(const Tensor& x, bool padded) const {
  if (box) return at::avg_pool2d(x, 2);
  const int64_t pad = padded ? padding() : 0;
  return at::conv2d(x, per_channel(x, 1), {}, 2, pad, 1, x.size(1));
}

EdmConv::EdmConv(const Scope& scope, int64_t in, int64_t out, int64_t kernel, Resample resample_,
                 const std::vector<double>& taps)
    : resample(resample_) {
  if (kernel > 0) conv = Conv2d(scope, in, out, kernel, {.padding = kernel / 2});
  if (resample != Resample::kNone) filter = EdmFilter(scope, taps);
}

Tensor EdmConv::operator()(const Tensor& x) const {
  const Tensor resampled = resample == Resample::kUp ? filter.up(x) : resample == Resample::kDown ? filter.down(x) : x;
  return conv ? (*conv)(resampled) : resampled;
}

Tensor EdmConv::convolve_then_down(const Tensor& x) const {
  const Tensor wide = at::conv2d(x, conv->weight, {}, 1, conv->options.padding + filter.padding());
  return filter.down(wide, false) + conv->bias.reshape({1, -1, 1, 1});
}

GroupNorm edm_group_norm(const Scope& scope, int64_t channels, double eps) {
  const int64_t groups = std::min<int64_t>(32, channels / 4);
  if (groups < 1 || channels % groups != 0) {
    throw CheckpointError(c10::str("edm: ", channels, " channels do not divide into ", groups,
                                   " groups; check model_channels and channel_mult"));
  }
  return GroupNorm(scope, groups, channels, eps);
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
  return at::cat({angle.cos(), angle.sin()}, 1);
}

Tensor fourier_embedding(const Tensor& x, const Tensor& frequencies) {
  const Tensor angle = at::outer(x, (2 * M_PI * frequencies).to(x.scalar_type()));
  return at::cat({angle.cos(), angle.sin()}, 1);
}

EdmBlock::EdmBlock(const Scope& scope, int64_t in, int64_t out, const EdmBlockOptions& options, bool attention,
                   Resample resample)
    : residual_scale_(options.residual_scale),
      adaptive_scale_(options.adaptive_scale),
      heads_(!attention          ? 0
             : options.heads > 0 ? options.heads
                                 : out / 64),
      norm0_(edm_group_norm(scope / "norm0", in, options.eps)),
      norm1_(edm_group_norm(scope / "norm1", out, options.eps)),
      conv0_(scope / "conv0", in, out, 3, resample, options.taps),
      conv1_(scope / "conv1", out, out, 3),
      affine_(embedding_linear(scope / "affine", options.embedding_channels, adaptive_scale_ ? 2 * out : out)) {
  if (in != out || resample != Resample::kNone) {
    const int64_t kernel = options.project_skip || in != out ? 1 : 0;
    skip_ = EdmConv(scope / "skip", in, out, kernel, resample, options.taps);
  }
  if (heads_ == 0) return;
  norm2_ = edm_group_norm(scope / "norm2", out, options.eps);
  qkv_ = EdmConv(scope / "qkv", out, 3 * out, 1);
  proj_ = EdmConv(scope / "proj", out, out, 1);
}

Tensor EdmBlock::operator()(const Tensor& x, const Tensor& embedding) const {
  Tensor h = conv0_(at::silu(norm0_(x)));
  const Tensor condition = affine_(embedding).unsqueeze(2).unsqueeze(3).to(h.scalar_type());
  if (adaptive_scale_) {
    const auto scale_shift = condition.chunk(2, 1);
    h = at::silu(at::addcmul(scale_shift[1], norm1_(h), scale_shift[0] + 1));
  } else {
    h = at::silu(norm1_(h + condition));
  }
  h = conv1_(h);
  h = (h + (skip_ ? (*skip_)(x) : x)) * residual_scale_;
  return heads_ > 0 ? (attend(h) + h) * residual_scale_ : h;
}

Tensor EdmBlock::attend(const Tensor& x) const {
  const int64_t B = x.size(0), C = x.size(1) / heads_, L = x.size(2) * x.size(3);
  // Channels are ordered [heads, channels of a head, (q, k, v)].
  const auto qkv = qkv_(norm2_(x)).reshape({B * heads_, C, 3, L}).unbind(2);
  const Tensor a = attention(qkv[0].transpose(1, 2), qkv[1].transpose(1, 2), qkv[2].transpose(1, 2), 1 / std::sqrt(C));
  return proj_(a.transpose(1, 2).reshape(x.sizes()).contiguous(x.suggest_memory_format()));
}

}  // namespace sextant::networks
