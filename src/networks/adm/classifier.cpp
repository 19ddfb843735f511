// The noise-aware classifier of Dhariwal & Nichol 2021 (ADM), as guided-diffusion computes it.
#include "adm/classifier.h"

#include <c10/util/StringUtil.h>

#include <numeric>

#include "internal/kernels/linear.h"
#include "internal/kernels/norm.h"
#include "internal/runtime/pointwise.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::adm {
namespace {

constexpr int64_t kHidden = 2048;  // of the spatial pools

Tensor at_least_float(const Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

}  // namespace

// The pools compute in float32 at least, whatever the blocks before them do: their weights are few.

AdaptivePool::AdaptivePool(const Scope& scope, const Config& config, int64_t channels)
    : norm_(norm32(scope / 0, channels, true)),
      weight_((scope / 3).norm("weight", {config.out_channels, channels, 1, 1})),
      bias_((scope / 3).norm("bias", {config.out_channels})) {}

Tensor AdaptivePool::operator()(const Tensor& h) const {
  return kernels::linear(at_least_float(kernels::group_norm(h, norm_)).mean({2, 3}), weight_.flatten(1), bias_);
}

AttentionPool::AttentionPool(const Scope& scope, const Config& config, int64_t channels, int64_t tokens)
    : heads_(channels / config.num_head_channels),
      norm_(norm32(scope / 0, channels, true)),
      position_((scope / 2).norm("positional_embedding", {channels, 1 + tokens})),
      qkv_weight_((scope / 2 / "qkv_proj").norm("weight", {3 * channels, channels, 1})),
      qkv_bias_((scope / 2 / "qkv_proj").norm("bias", {3 * channels})),
      out_weight_((scope / 2 / "c_proj").norm("weight", {config.out_channels, channels, 1})),
      out_bias_((scope / 2 / "c_proj").norm("bias", {config.out_channels})) {}

Tensor AttentionPool::operator()(const Tensor& h) const {
  const Tensor pixels = at_least_float(kernels::group_norm(h, norm_)).flatten(2);
  if (pixels.size(2) + 1 != position_.size(1)) {
    throw ShapeError(c10::str("ADM classifier: attention pooling was made for ", position_.size(1) - 1,
                              " pixels after downsampling, got ", pixels.size(2),
                              "; images must have the network's image_size"));
  }
  const Tensor tokens = (at::cat({pixels.mean(2, true), pixels}, 2) + position_).transpose(1, 2);
  const Tensor seen = attend(kernels::linear(tokens, qkv_weight_.squeeze(2), qkv_bias_), heads_, true);
  return kernels::linear(seen.select(1, 0), out_weight_.squeeze(2), out_bias_);  // the mean's token alone
}

SpatialPool::SpatialPool(const Scope& scope, const Config& config, int64_t features)
    : has_norm_(config.pool == PoolKind::kSpatialV2),
      first_(scope / 0, features, kHidden),
      norm_weight_(has_norm_ ? (scope / 1).norm("weight", {kHidden}) : Tensor()),
      norm_bias_(has_norm_ ? (scope / 1).norm("bias", {kHidden}) : Tensor()),
      second_(scope / (has_norm_ ? 3 : 2), kHidden, config.out_channels) {}

Tensor SpatialPool::operator()(const Tensor& means) const {
  const Tensor hidden = first_(means);
  return second_(has_norm_ ? pointwise::silu(at::group_norm(hidden, 32, norm_weight_, norm_bias_)) : at::relu(hidden));
}

Classifier::Pool Classifier::make_pool(const Scope& scope, const Config& config, const Encoder& encoder) {
  const int64_t channels = encoder.channels.back();
  if (config.pool == PoolKind::kAdaptive) return AdaptivePool(scope, config, channels);
  if (config.pool == PoolKind::kAttention) {
    const int64_t size = config.image_size / encoder.downsampling.back();
    return AttentionPool(scope, config, channels, size * size);
  }
  return SpatialPool(scope, config, std::accumulate(encoder.channels.begin(), encoder.channels.end(), channels));
}

Classifier::Classifier(const Config& config)
    : config_(config),
      embedding_(Scope(parameters_), config),
      encoder_(Scope(parameters_), config),
      pool_(make_pool(Scope(parameters_) / "out", config, encoder_)) {}

Tensor Classifier::forward(const Tensor& x, const Tensor& t) const {
  if (x.dim() != 4 || x.size(1) != config_.in_channels) {
    throw ShapeError(c10::str("ADM classifier: expected images [B, ", config_.in_channels, ", H, W], got ", x.sizes()));
  }
  if (!t.defined() || t.dim() != 1 || t.size(0) != x.size(0)) {
    throw ShapeError(c10::str("ADM classifier: expected one timestep per image [", x.size(0), "], got ",
                              t.defined() ? c10::str(t.sizes()) : "none"));
  }
  const Tensor embedding = embedding_(t, {});
  const bool spatial = std::holds_alternative<SpatialPool>(pool_);
  std::vector<Tensor> means;
  const auto note = [&](const Tensor& h) {
    if (spatial) means.push_back(at_least_float(h).mean({2, 3}));
  };
  Tensor h = x.to(compute_type());
  for (const Block& block : encoder_.input_blocks) {
    h = block(h, embedding);
    note(h);
  }
  h = encoder_.middle_block(h, embedding);
  note(h);
  return std::visit([&](const auto& pool) { return pool(spatial ? at::cat(means, 1) : h); }, pool_);
}

}  // namespace sextant::networks::adm
