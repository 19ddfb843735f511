// Blocks of the U-Net of Dhariwal & Nichol 2021 (ADM), as guided-diffusion computes them.
#include "adm/blocks.h"

#include "internal/kernels/attention.h"
#include "internal/runtime/pointwise.h"

namespace sextant::networks::adm {

using kernels::Resampling;

Tensor timestep_embedding(const Tensor& t, int64_t width, at::ScalarType type) {
  const int64_t half = width / 2;
  const auto options = t.options().dtype(type);
  const Tensor frequencies = at::exp(at::arange(half, options) * -std::log(10000.0) / half);
  const Tensor angles = t.to(type).unsqueeze(1) * frequencies;
  const Tensor embedding = at::cat({pointwise::cosine(angles), pointwise::sine(angles)}, 1);
  return width % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

Embedding::Embedding(const Scope& scope, const Config& config)
    : model_channels_(config.model_channels),
      first_(scope / "time_embed" / 0, model_channels_, width()),
      second_(scope / "time_embed" / 2, width(), width()) {
  if (config.num_classes > 0) classes_ = (scope / "label_emb").norm("weight", {config.num_classes, width()});
}

Tensor Embedding::operator()(const Tensor& t, const Tensor& y) const {
  Tensor embedding = timestep_embedding(t, model_channels_, first_.weight.scalar_type());
  embedding = second_(pointwise::silu(first_(embedding)));
  if (classes_.defined()) embedding = embedding + at::embedding(classes_, y);
  return pointwise::silu(embedding);
}

kernels::GroupNorm norm32(const Scope& scope, int64_t channels, bool silu) {
  kernels::GroupNorm norm;
  norm.weight = scope.norm("weight", {channels});
  norm.bias = scope.norm("bias", {channels});
  norm.silu = silu;
  return norm;
}

kernels::Convolution convolution(const Scope& scope, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  const Tensor weight = scope.weight("weight", {out, in, kernel, kernel});
  return kernels::Convolution(weight, scope.weight("bias", {out}), stride, kernel / 2);
}

kernels::Convolution pointwise(const Scope& scope, int64_t in, int64_t out) {
  const Tensor weight = scope.weight("weight", {out, in, 1});
  return kernels::Convolution(weight, scope.weight("bias", {out}), 1, 0);
}

ResBlock::ResBlock(const Scope& scope, const Config& config, int64_t in, int64_t out, Resampling resampling)
    : scale_shift_(config.use_scale_shift_norm),
      resampling_(resampling),
      in_norm_(norm32(scope / "in_layers" / 0, in, true)),
      in_convolution_(convolution(scope / "in_layers" / 2, in, out, 3)),
      from_embedding_(scope / "emb_layers" / 1, 4 * config.model_channels, scale_shift_ ? 2 * out : out),
      out_norm_(norm32(scope / "out_layers" / 0, out, true)),
      dropout_(scope, config.dropout),
      out_convolution_(convolution(scope / "out_layers" / 3, out, out, 3)),
      has_skip_convolution_(in != out) {
  in_norm_.resampling = resampling;
  if (has_skip_convolution_) skip_convolution_ = convolution(scope / "skip_connection", in, out, 1);
}

void ResBlock::lay_out(const Input& input) {
  const int64_t size = resampling_ == Resampling::kHalve    ? input.size / 2
                       : resampling_ == Resampling::kDouble ? input.size * 2
                                                            : input.size;
  if (has_skip_convolution_) skip_convolution_.lay_out(input.size, input.size, input.parts, input.gradients);
  in_convolution_.lay_out(size, size, {}, input.gradients);
  out_convolution_.lay_out(size, size, {}, input.gradients);
}

Tensor ResBlock::operator()(at::TensorList x, const Tensor& embedding) const {
  const auto [first, bias] = in_convolution_.without_bias(kernels::group_norm(x, in_norm_));
  kernels::GroupNorm norm = out_norm_;
  const Tensor modulation = from_embedding_(embedding);
  const int64_t channels = first.size(1);
  if (scale_shift_) {
    norm.scale = modulation.narrow(1, 0, channels);
    norm.shift = modulation.narrow(1, channels, channels);
    if (bias.defined()) norm.added = bias.expand({first.size(0), channels});
  } else {
    norm.added = bias.defined() ? modulation + bias : modulation;
  }
  const Tensor h = dropout_(kernels::group_norm(first, norm));
  const Tensor skip = has_skip_convolution_ ? skip_convolution_(x) : x.size() == 1 ? x[0] : at::cat(x, 1);
  return out_convolution_(h, kernels::resample(skip, resampling_));
}

AttentionBlock::AttentionBlock(const Scope& scope, const Config& config, int64_t channels, int64_t heads)
    : heads_(config.num_head_channels == -1 ? heads : channels / config.num_head_channels),
      new_order_(config.use_new_attention_order),
      norm_(norm32(scope / "norm", channels, false)),
      qkv_(pointwise(scope / "qkv", channels, 3 * channels)),
      out_(pointwise(scope / "proj_out", channels, channels)) {}

void AttentionBlock::lay_out(const Input& input) {
  qkv_.lay_out(input.size, input.size, {}, input.gradients);
  out_.lay_out(input.size, input.size, {}, input.gradients);
}

Tensor attend(const Tensor& qkv, int64_t heads, bool new_order) {
  const int64_t depth = qkv.size(2) / (3 * heads);
  const Tensor split = new_order ? qkv.reshape({qkv.size(0), qkv.size(1), 3, heads, depth}).transpose(2, 3)
                                 : qkv.reshape({qkv.size(0), qkv.size(1), heads, 3, depth});
  const auto part = [&](int64_t i) { return split.select(3, i).transpose(1, 2); };  // [B, heads, T, depth]
  return kernels::attention(part(0), part(1), part(2), 1 / std::sqrt(static_cast<double>(depth)));
}

Tensor AttentionBlock::operator()(at::TensorList x, const Tensor&) const {
  const Tensor qkv = qkv_(kernels::group_norm(x, norm_));
  const int64_t B = qkv.size(0), H = qkv.size(2), W = qkv.size(3);
  const Tensor tokens = qkv.permute({0, 2, 3, 1}).reshape({B, H * W, qkv.size(1)});
  const Tensor seen = attend(tokens, heads_, new_order_).reshape({B, H, W, qkv.size(1) / 3}).permute({0, 3, 1, 2});
  return out_(seen, x[0]);
}

Resize::Resize(const Scope& scope, const Config& config, int64_t channels, Resampling resampling)
    : resampling_(resampling), has_convolution_(config.conv_resample) {
  if (!has_convolution_) return;
  const bool halves = resampling == Resampling::kHalve;
  convolution_ = convolution(scope / (halves ? "op" : "conv"), channels, channels, 3, halves ? 2 : 1);
}

void Resize::lay_out(const Input& input) {
  const int64_t size = resampling_ == Resampling::kDouble ? input.size * 2 : input.size;
  if (has_convolution_) convolution_.lay_out(size, size, {}, input.gradients);
}

Tensor Resize::operator()(at::TensorList x, const Tensor&) const {
  if (!has_convolution_) return kernels::resample(x[0], resampling_);
  return resampling_ == Resampling::kHalve ? convolution_(x) : convolution_(kernels::resample(x[0], resampling_));
}

void Block::lay_out(const Input& input) {
  for (Layer& layer : layers_) {
    std::visit([&](auto& of_its_kind) { of_its_kind.lay_out(input); }, layer);
  }
}

Tensor Block::operator()(at::TensorList x, const Tensor& embedding) const {
  Tensor h;
  for (const Layer& layer : layers_) {
    h = std::visit([&](const auto& of_its_kind) { return of_its_kind(h.defined() ? at::TensorList(h) : x, embedding); },
                   layer);
  }
  return h;
}

Encoder::Encoder(const Scope& scope, const Config& config) : config_(config) {
  const auto add = [&](int64_t result, int64_t factor) {
    input_blocks.emplace_back();
    channels.push_back(result);
    downsampling.push_back(factor);
    return scope / "input_blocks" / static_cast<int64_t>(input_blocks.size() - 1);
  };
  int64_t width = config.width(0);
  int64_t factor = 1;
  const Scope stem = add(width, factor);
  input_blocks.back().add(Stem(stem / 0, config.in_channels, width));
  for (std::size_t level = 0; level < config.channel_mult.size(); ++level) {
    for (int64_t i = 0; i < config.num_res_blocks; ++i) {
      const Scope block = add(config.width(level), factor);
      input_blocks.back().add(ResBlock(block / 0, config, width, config.width(level)));
      width = config.width(level);
      if (config.attends_at(factor))
        input_blocks.back().add(AttentionBlock(block / 1, config, width, config.num_heads));
    }
    if (level + 1 == config.channel_mult.size()) break;
    const Scope block = add(width, factor);
    if (config.resblock_updown) {
      input_blocks.back().add(ResBlock(block / 0, config, width, width, Resampling::kHalve));
    } else {
      input_blocks.back().add(Resize(block / 0, config, width, Resampling::kHalve));
    }
    factor *= 2;
  }
  const Scope middle = scope / "middle_block";
  middle_block.add(ResBlock(middle / 0, config, width, width));
  middle_block.add(AttentionBlock(middle / 1, config, width, config.num_heads));
  middle_block.add(ResBlock(middle / 2, config, width, width));
}

void Encoder::lay_out(bool gradients) {
  for (std::size_t i = 0; i < input_blocks.size(); ++i) {
    input_blocks[i].lay_out({config_.image_size / downsampling[i], {}, gradients});
  }
  middle_block.lay_out({config_.image_size / downsampling.back(), {}, gradients});
}

}  // namespace sextant::networks::adm
