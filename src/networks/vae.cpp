// The KL-regularised autoencoder of latent diffusion (Rombach et al. 2022), with the names of diffusers' AutoencoderKL.
#include <cmath>

#include "networks/attention.h"
#include "networks/config.h"
#include "networks/families.h"
#include "networks/layers.h"
#include "networks/vae_names.h"
#include "sextant/error.h"

namespace sextant::networks {
namespace {

struct VaeConfig {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t latent_channels = 4;
  std::vector<int64_t> widths = {128, 256, 512, 512};  ///< from the full resolution down
  int64_t layers_per_block = 2;
  int64_t groups = 32;
  double scaling_factor = 0.18215;
  bool quant_conv = true;
  bool post_quant_conv = true;
};

/// `key` lists block types, of which only `expected`, the convolutional one, is part of this autoencoder.
void check_block_types(ConfigReader& reader, const std::string& key, const std::string& expected) {
  for (const auto& type : reader.optional<std::vector<std::string>>(key, {})) {
    if (type != expected) reader.fail("'" + key + "' holds '" + type + "'; only " + expected + " is supported");
  }
}

VaeConfig read_config(const nlohmann::json& model) {
  ConfigReader reader("vae", model);
  VaeConfig config;
  config.in_channels = reader.optional("in_channels", config.in_channels);
  config.out_channels = reader.optional("out_channels", config.out_channels);
  config.latent_channels = reader.optional("latent_channels", config.latent_channels);
  config.widths = reader.optional("block_out_channels", config.widths);
  config.layers_per_block = reader.optional("layers_per_block", config.layers_per_block);
  config.groups = reader.optional("norm_num_groups", config.groups);
  config.scaling_factor = reader.optional("scaling_factor", config.scaling_factor);
  config.quant_conv = reader.optional("use_quant_conv", true);
  config.post_quant_conv = reader.optional("use_post_quant_conv", true);
  check_block_types(reader, "down_block_types", "DownEncoderBlock2D");
  check_block_types(reader, "up_block_types", "UpDecoderBlock2D");
  if (reader.optional<std::string>("act_fn", "silu") != "silu") reader.fail("only act_fn 'silu' is supported");
  if (reader.optional<double>("shift_factor", 0) != 0) reader.fail("a shift_factor is not supported");
  if (!reader.optional("mid_block_add_attention", true)) reader.fail("mid_block_add_attention must be true");
  for (const char* key : {"_class_name", "_diffusers_version", "_name_or_path", "sample_size", "force_upcast",
                          "latents_mean", "latents_std"}) {
    reader.ignore(key);
  }
  reader.finish();
  if (config.widths.empty()) reader.fail("block_out_channels is empty");
  for (const int64_t width : config.widths) {
    if (config.groups < 1 || width % config.groups != 0) {
      reader.fail(c10::str("norm_num_groups ", config.groups, " does not divide block_out_channels ", width));
    }
  }
  return config;
}

constexpr double kEps = 1e-6;

struct ResnetBlock {
  ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t groups)
      : norm1(scope / "norm1", groups, in, kEps),
        norm2(scope / "norm2", groups, out, kEps),
        conv1(scope / "conv1", in, out, 3, {.padding = 1}),
        conv2(scope / "conv2", out, out, 3, {.padding = 1}),
        projected(in != out) {
    if (projected) shortcut = Conv2d(scope / "conv_shortcut", in, out, 1, {});
  }

  Tensor operator()(const Tensor& x) const {
    const Tensor h = conv2(at::silu(norm2(conv1(at::silu(norm1(x))))));
    return (projected ? shortcut(x) : x) + h;
  }

  GroupNorm norm1, norm2;
  Conv2d conv1, conv2, shortcut;
  bool projected;
};

/// One head over all pixels.
struct PixelAttention {
  PixelAttention(const Scope& scope, int64_t width, int64_t groups)
      : norm(scope / "group_norm", groups, width, kEps),
        to_q(scope / "to_q", width, width),
        to_k(scope / "to_k", width, width),
        to_v(scope / "to_v", width, width),
        to_out(scope / "to_out" / 0, width, width) {}

  Tensor operator()(const Tensor& x) const {
    const Tensor tokens = norm(x).flatten(2).transpose(1, 2);
    const double scale = 1 / std::sqrt(x.size(1));
    const Tensor a = to_out(attention(to_q(tokens), to_k(tokens), to_v(tokens), scale));
    return x + a.transpose(1, 2).reshape(x.sizes());
  }

  GroupNorm norm;
  Linear to_q, to_k, to_v, to_out;
};

struct MiddleBlock {
  MiddleBlock(const Scope& scope, int64_t width, int64_t groups)
      : before(scope / "resnets" / 0, width, width, groups),
        attend(scope / "attentions" / 0, width, groups),
        after(scope / "resnets" / 1, width, width, groups) {}

  Tensor operator()(const Tensor& x) const { return after(attend(before(x))); }

  ResnetBlock before;
  PixelAttention attend;
  ResnetBlock after;
};

/// Residual blocks at one resolution, then perhaps the way to the next.
struct Level {
  Level(const Scope& scope, int64_t in, int64_t out, int64_t blocks, int64_t groups) {
    for (int64_t i = 0; i < blocks; ++i) resnets.emplace_back(scope / "resnets" / i, i == 0 ? in : out, out, groups);
  }

  Tensor operator()(Tensor x) const {
    for (const ResnetBlock& block : resnets) x = block(x);
    return x;
  }

  std::vector<ResnetBlock> resnets;
  std::optional<Conv2d> resample;
};

class Encoder {
 public:
  Encoder(const Scope& scope, const VaeConfig& config)
      : in_(scope / "conv_in", config.in_channels, config.widths[0], 3, {.padding = 1}),
        middle_(scope / "mid_block", config.widths.back(), config.groups),
        norm_(scope / "conv_norm_out", config.groups, config.widths.back(), kEps),
        out_(scope / "conv_out", config.widths.back(), 2 * config.latent_channels, 3, {.padding = 1}) {
    int64_t width = config.widths[0];
    for (std::size_t i = 0; i < config.widths.size(); ++i) {
      const Scope level = scope / "down_blocks" / static_cast<int64_t>(i);
      levels_.emplace_back(level, width, config.widths[i], config.layers_per_block, config.groups);
      width = config.widths[i];
      if (i + 1 == config.widths.size()) continue;
      levels_.back().resample = Conv2d(level / "downsamplers" / 0 / "conv", width, width, 3, {.stride = 2});
    }
  }

  Tensor operator()(const Tensor& x) const {
    Tensor h = in_(x);
    for (const Level& level : levels_) {
      h = level(h);
      // Padded right and below only: the stride's window starts at the first pixel.
      if (level.resample) h = (*level.resample)(at::constant_pad_nd(h, {0, 1, 0, 1}));
    }
    return out_(at::silu(norm_(middle_(h))));
  }

 private:
  Conv2d in_;
  std::vector<Level> levels_;
  MiddleBlock middle_;
  GroupNorm norm_;
  Conv2d out_;
};

class Decoder {
 public:
  Decoder(const Scope& scope, const VaeConfig& config)
      : in_(scope / "conv_in", config.latent_channels, config.widths.back(), 3, {.padding = 1}),
        middle_(scope / "mid_block", config.widths.back(), config.groups),
        norm_(scope / "conv_norm_out", config.groups, config.widths[0], kEps),
        out_(scope / "conv_out", config.widths[0], config.out_channels, 3, {.padding = 1}) {
    int64_t width = config.widths.back();
    for (std::size_t i = 0; i < config.widths.size(); ++i) {
      const Scope level = scope / "up_blocks" / static_cast<int64_t>(i);
      const int64_t next = config.widths[config.widths.size() - 1 - i];
      levels_.emplace_back(level, width, next, config.layers_per_block + 1, config.groups);
      width = next;
      if (i + 1 == config.widths.size()) continue;
      levels_.back().resample = Conv2d(level / "upsamplers" / 0 / "conv", width, width, 3, {.padding = 1});
    }
  }

  Tensor operator()(const Tensor& z) const {
    Tensor h = middle_(in_(z));
    for (const Level& level : levels_) {
      h = level(h);
      if (level.resample) h = (*level.resample)(at::upsample_nearest2d(h, {2 * h.size(2), 2 * h.size(3)}));
    }
    return out_(at::silu(norm_(h)));
  }

 private:
  Conv2d in_;
  std::vector<Level> levels_;
  MiddleBlock middle_;
  GroupNorm norm_;
  Conv2d out_;
};

class Vae : public Autoencoder {
 public:
  explicit Vae(const VaeConfig& config)
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

 protected:
  StateDict renamed(const StateDict& weights) const override {
    return vae_names(weights, static_cast<int64_t>(config_.widths.size()));
  }

 private:
  VaeConfig config_;
  Encoder encoder_;
  Decoder decoder_;
  Conv2d quant_, post_quant_;
};

}  // namespace

std::unique_ptr<Autoencoder> make_vae(const nlohmann::json& model) { return std::make_unique<Vae>(read_config(model)); }

}  // namespace sextant::networks
