// The KL-regularised autoencoder of latent diffusion (Rombach et al. 2022), with the names of diffusers' AutoencoderKL.
#include "vae/network.h"

#include <cmath>
#include <optional>

#include "internal/kernels/attention.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/norm.h"
#include "internal/kernels/resample.h"
#include "layers.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "vae/config.h"
#include "vae/names.h"

namespace sextant::networks::vae {
namespace {

kernels::GroupNorm group_norm(const Scope& scope, int64_t groups, int64_t width, bool silu) {
  kernels::GroupNorm norm;
  norm.groups = groups;
  norm.eps = 1e-6;
  norm.weight = scope.norm("weight", {width});
  norm.bias = scope.norm("bias", {width});
  norm.silu = silu;
  return norm;
}

kernels::Convolution convolution(const Scope& scope, int64_t in, int64_t out, int64_t kernel) {
  const Tensor weight = scope.weight("weight", {out, in, kernel, kernel});
  return kernels::Convolution(weight, scope.weight("bias", {out}), 1, kernel / 2);
}

struct ResnetBlock {
  ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t groups)
      : norm1(group_norm(scope / "norm1", groups, in, true)),
        norm2(group_norm(scope / "norm2", groups, out, true)),
        conv1(convolution(scope / "conv1", in, out, 3)),
        conv2(convolution(scope / "conv2", out, out, 3)),
        projected(in != out) {
    if (projected) shortcut = convolution(scope / "conv_shortcut", in, out, 1);
  }

  Tensor operator()(const Tensor& x) const {
    const Tensor h = conv1(kernels::group_norm(x, norm1));
    return conv2(kernels::group_norm(h, norm2), projected ? shortcut(x) : x);
  }

  void lay_out(int64_t size) {
    conv1.lay_out(size, size);
    conv2.lay_out(size, size);
    if (projected) shortcut.lay_out(size, size);
  }

  kernels::GroupNorm norm1, norm2;
  kernels::Convolution conv1, conv2, shortcut;
  bool projected;
};

/// One head over all pixels.
struct PixelAttention {
  PixelAttention(const Scope& scope, int64_t width, int64_t groups)
      : norm(group_norm(scope / "group_norm", groups, width, false)),
        to_q(scope / "to_q", width, width),
        to_k(scope / "to_k", width, width),
        to_v(scope / "to_v", width, width),
        to_out(scope / "to_out" / 0, width, width) {}

  Tensor operator()(const Tensor& x) const {
    const Tensor tokens = kernels::group_norm(x, norm).flatten(2).transpose(1, 2);
    const auto head = [&](const Linear& map) { return map(tokens).unsqueeze(1); };
    const Tensor seen = kernels::attention(head(to_q), head(to_k), head(to_v), 1 / std::sqrt(x.size(1)));
    return x + to_out(seen).transpose(1, 2).reshape(x.sizes());
  }

  kernels::GroupNorm norm;
  Linear to_q, to_k, to_v, to_out;
};

struct MiddleBlock {
  MiddleBlock(const Scope& scope, int64_t width, int64_t groups)
      : before(scope / "resnets" / 0, width, width, groups),
        attend(scope / "attentions" / 0, width, groups),
        after(scope / "resnets" / 1, width, width, groups) {}

  Tensor operator()(const Tensor& x) const { return after(attend(before(x))); }

  void lay_out(int64_t size) {
    before.lay_out(size);
    after.lay_out(size);
  }

  ResnetBlock before;
  PixelAttention attend;
  ResnetBlock after;
};

/// Residual blocks at one resolution.
std::vector<ResnetBlock> resnets(const Scope& scope, int64_t in, int64_t out, int64_t count, int64_t groups) {
  std::vector<ResnetBlock> blocks;
  for (int64_t i = 0; i < count; ++i) blocks.emplace_back(scope / "resnets" / i, i == 0 ? in : out, out, groups);
  return blocks;
}

class Encoder {
 public:
  Encoder(const Scope& scope, const Config& config)
      : in_(convolution(scope / "conv_in", config.in_channels, config.widths[0], 3)),
        middle_(scope / "mid_block", config.widths.back(), config.groups),
        norm_(group_norm(scope / "conv_norm_out", config.groups, config.widths.back(), true)),
        out_(convolution(scope / "conv_out", config.widths.back(), 2 * config.latent_channels, 3)) {
    int64_t width = config.widths[0];
    for (std::size_t i = 0; i < config.widths.size(); ++i) {
      const Scope level = scope / "down_blocks" / static_cast<int64_t>(i);
      levels_.push_back({resnets(level, width, config.widths[i], config.layers_per_block, config.groups), {}});
      width = config.widths[i];
      if (i + 1 == config.widths.size()) continue;
      levels_.back().down = Conv2d(level / "downsamplers" / 0 / "conv", width, width, 3, {.stride = 2});
    }
  }

  Tensor operator()(const Tensor& x) const {
    Tensor h = in_(x);
    for (const Level& level : levels_) {
      for (const ResnetBlock& block : level.blocks) h = block(h);
      // Padded right and below only: the stride's window starts at the first pixel.
      if (level.down) h = (*level.down)(at::constant_pad_nd(h, {0, 1, 0, 1}));
    }
    return out_(kernels::group_norm(middle_(h), norm_));
  }

  /// For images of `size` x `size`.
  void lay_out(int64_t size) {
    in_.lay_out(size, size);
    for (Level& level : levels_) {
      for (ResnetBlock& block : level.blocks) block.lay_out(size);
      if (level.down) size /= 2;
    }
    middle_.lay_out(size);
    out_.lay_out(size, size);
  }

 private:
  struct Level {
    std::vector<ResnetBlock> blocks;
    std::optional<Conv2d> down;
  };

  kernels::Convolution in_;
  std::vector<Level> levels_;
  MiddleBlock middle_;
  kernels::GroupNorm norm_;
  kernels::Convolution out_;
};

class Decoder {
 public:
  Decoder(const Scope& scope, const Config& config)
      : in_(convolution(scope / "conv_in", config.latent_channels, config.widths.back(), 3)),
        middle_(scope / "mid_block", config.widths.back(), config.groups),
        norm_(group_norm(scope / "conv_norm_out", config.groups, config.widths[0], true)),
        out_(convolution(scope / "conv_out", config.widths[0], config.out_channels, 3)) {
    int64_t width = config.widths.back();
    for (std::size_t i = 0; i < config.widths.size(); ++i) {
      const Scope level = scope / "up_blocks" / static_cast<int64_t>(i);
      const int64_t next = config.widths[config.widths.size() - 1 - i];
      levels_.push_back({resnets(level, width, next, config.layers_per_block + 1, config.groups), {}});
      width = next;
      if (i + 1 == config.widths.size()) continue;
      levels_.back().up = convolution(level / "upsamplers" / 0 / "conv", width, width, 3);
    }
  }

  Tensor operator()(const Tensor& z) const {
    Tensor h = middle_(in_(z));
    for (const Level& level : levels_) {
      for (const ResnetBlock& block : level.blocks) h = block(h);
      if (level.up) h = (*level.up)(kernels::resample(h, kernels::Resampling::kDouble));
    }
    return out_(kernels::group_norm(h, norm_));
  }

  /// For latents of `size` x `size`.
  void lay_out(int64_t size) {
    in_.lay_out(size, size);
    middle_.lay_out(size);
    for (Level& level : levels_) {
      for (ResnetBlock& block : level.blocks) block.lay_out(size);
      if (!level.up) continue;
      size *= 2;
      level.up->lay_out(size, size);
    }
    out_.lay_out(size, size);
  }

 private:
  struct Level {
    std::vector<ResnetBlock> blocks;
    std::optional<kernels::Convolution> up;
  };

  kernels::Convolution in_;
  std::vector<Level> levels_;
  MiddleBlock middle_;
  kernels::GroupNorm norm_;
  kernels::Convolution out_;
};

class Vae : public Autoencoder {
 public:
  explicit Vae(const Config& config)
      : config_(config),
        encoder_(Scope(parameters_) / "encoder", config),
        decoder_(Scope(parameters_) / "decoder", config) {
    const Scope scope(parameters_);
    const int64_t C = config.latent_channels;
    if (config.quant_conv) quant_ = Conv2d(scope / "quant_conv", 2 * C, 2 * C, 1, {});
    if (config.post_quant_conv) post_quant_ = Conv2d(scope / "post_quant_conv", C, C, 1, {});
  }

  Latent encode(const Tensor& x) const override {
    if (x.dim() != 4 || x.size(1) != config_.in_channels || x.size(2) % factor() != 0 || x.size(3) % factor() != 0) {
      throw ShapeError(c10::str("vae: expected images [B, ", config_.in_channels, ", H, W] with H and W multiples of ",
                                factor(), ", got ", x.sizes()));
    }
    const Tensor h = encoder_(x.to(compute_type()));
    const auto moments = at_least_float(config_.quant_conv ? quant_(h) : h).chunk(2, 1);
    return {moments[0], moments[1].clamp(-30, 20)};
  }

  Tensor decode(const Tensor& z) const override {
    if (z.dim() != 4 || z.size(1) != config_.latent_channels) {
      throw ShapeError(c10::str("vae: expected latents [B, ", config_.latent_channels, ", h, w], got ", z.sizes()));
    }
    const Tensor h = z.to(compute_type());
    return at_least_float(decoder_(config_.post_quant_conv ? post_quant_(h) : h));
  }

  int64_t latent_channels() const override { return config_.latent_channels; }
  int64_t factor() const override { return int64_t{1} << (config_.widths.size() - 1); }
  double scaling_factor() const override { return config_.scaling_factor; }

  checkpoint::StateDict renamed(const checkpoint::StateDict& weights) const override {
    return canonical_names(weights, static_cast<int64_t>(config_.widths.size()));
  }

 protected:
  void prepare() override {
    encoder_.lay_out(config_.sample_size);
    decoder_.lay_out(config_.sample_size / factor());
  }

 private:
  Config config_;
  Encoder encoder_;
  Decoder decoder_;
  Conv2d quant_, post_quant_;
};

}  // namespace

std::unique_ptr<Network> make(const nlohmann::json& model) { return std::make_unique<Vae>(read_config(model)); }

}  // namespace sextant::networks::vae
