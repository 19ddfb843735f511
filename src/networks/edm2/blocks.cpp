// Magnitude-preserving layers of Karras et al. 2024 (EDM2).
#include "edm2/blocks.h"

#include <cmath>

#include "internal/kernels/attention.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "internal/runtime/pointwise.h"

namespace sextant::networks::edm2 {
namespace {

constexpr double kNormEps = 1e-4;

at::ScalarType at_least_float_type(const Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace

MpConv::MpConv(const Scope& scope, int64_t in, int64_t out, int64_t kernel)
    : weight(kernel > 0 ? scope.weight("weight", {out, in, kernel, kernel}) : scope.norm("weight", {out, in})) {}

Tensor MpConv::normalized() const {
  const Tensor rows = at_least_float(weight).flatten(1);
  const Tensor length = at::linalg_vector_norm(rows, 2, at::IntArrayRef{1}, true);
  const Tensor unit = rows / (length + kNormEps * std::sqrt(rows.size(1)));
  return unit.reshape(weight.sizes());
}

void MpConv::prepare(int64_t resolution) {
  if (!weight.defined()) return;
  prepared_ = normalized().to(weight.scalar_type());
  if (prepared_.dim() != 4) return;
  convolution_ = kernels::Convolution(prepared_, {}, 1, prepared_.size(2) / 2);
  convolution_.lay_out(resolution, resolution);
}

Tensor MpConv::operator()(const Tensor& x, const Tensor& gain) const {
  if (prepared_.defined() && weight.dim() == 4) {
    const Tensor y = convolution_(x);
    return gain.defined() ? y * gain.to(y.scalar_type()) : y;
  }
  Tensor w = prepared_.defined() ? prepared_ : normalized();
  if (gain.defined()) w = w * gain;
  w = w.to(x.scalar_type());
  return w.dim() == 2 ? kernels::linear(x, w, {}) : at::conv2d(x, w, {}, 1, w.size(2) / 2);
}

Tensor mp_normalize(const Tensor& x, int64_t dim) {
  const Tensor length = at::linalg_vector_norm(x, 2, dim, true, at_least_float_type(x));
  return x / (length * (1 / std::sqrt(x.size(dim))) + kNormEps).to(x.scalar_type());
}

Tensor mp_silu(const Tensor& x) { return pointwise::silu(x) / 0.596; }

Tensor mp_sum(const Tensor& a, const Tensor& b, double t) {
  return at::lerp(a, b, t) / std::sqrt((1 - t) * (1 - t) + t * t);
}

Tensor mp_cat(const Tensor& a, const Tensor& b, double t) {
  const auto A = static_cast<double>(a.size(1));
  const auto B = static_cast<double>(b.size(1));
  const double scale = std::sqrt((A + B) / ((1 - t) * (1 - t) + t * t));
  return at::cat({a * (scale * (1 - t) / std::sqrt(A)), b * (scale * t / std::sqrt(B))}, 1);
}

MpFourier::MpFourier(const Scope& scope, int64_t count)
    : frequencies(scope.norm("freqs", {count})), phases(scope.norm("phases", {count})) {}

Tensor MpFourier::operator()(const Tensor& x) const {
  return pointwise::cosine(at::outer(x, frequencies) + phases) * M_SQRT2;
}

Block::Block(const Scope& scope, int64_t resolution, int64_t in, int64_t out, const BlockOptions& options, Side side,
             bool attention, edm::Resample resample)
    : resolution_(resolution),
      options_(options),
      side_(side),
      resample_(resample),
      filter_(options.taps),
      heads_(attention ? out / options.channels_per_head : 0),
      project_(in != out),
      embedding_gain_(scope.norm("emb_gain", {})),
      res0_(scope / "conv_res0", side == Side::kEncoder ? out : in, out, 3),
      embedding_(scope / "emb_linear", options.embedding_channels, out, 0),
      res1_(scope / "conv_res1", out, out, 3) {
  if (project_) skip_ = MpConv(scope / "conv_skip", in, out, 1);
  if (heads_ == 0) return;
  qkv_ = MpConv(scope / "attn_qkv", out, 3 * out, 1);
  proj_ = MpConv(scope / "attn_proj", out, out, 1);
}

void Block::prepare() {
  for (MpConv* conv : {&res0_, &embedding_, &res1_, &skip_, &qkv_, &proj_}) conv->prepare(resolution_);
}

Tensor Block::operator()(const Tensor& input, const Tensor& embedding) const {
  Tensor x = resample_ == edm::Resample::kUp     ? filter_.up(input)
             : resample_ == edm::Resample::kDown ? filter_.down(input)
                                                 : input;
  if (side_ == Side::kEncoder) x = mp_normalize(project_ ? skip_(x) : x, 1);

  const Tensor scale = embedding_(embedding, embedding_gain_) + 1;
  Tensor h = res0_(mp_silu(x));
  h = res1_(mp_silu(h * scale.unsqueeze(2).unsqueeze(3).to(h.scalar_type())));

  if (side_ == Side::kDecoder && project_) x = skip_(x);
  x = mp_sum(x, h, options_.residual_balance);
  if (heads_ > 0) x = mp_sum(x, attend(x), options_.attention_balance);
  return std::isfinite(options_.clip) ? x.clamp(-options_.clip, options_.clip) : x;
}

Tensor Block::attend(const Tensor& x) const {
  const int64_t B = x.size(0), C = x.size(1), H = x.size(2), W = x.size(3), D = C / heads_;
  // Channels are ordered [heads, channels of a head, (q, k, v)].
  const Tensor qkv = mp_normalize(qkv_(x).permute({0, 2, 3, 1}).reshape({B, H * W, heads_, D, 3}), 3);
  const auto part = [&](int64_t i) { return qkv.select(4, i).transpose(1, 2); };  // [B, heads, H W, D]
  const Tensor seen = kernels::attention(part(0), part(1), part(2), 1 / std::sqrt(D));
  return proj_(seen.reshape({B, H, W, C}).permute({0, 3, 1, 2}));
}

}  // namespace sextant::networks::edm2
