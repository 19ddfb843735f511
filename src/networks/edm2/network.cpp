// EDM2 (Karras et al. 2024) with the names of NVlabs/edm2: EDM's preconditioning around a magnitude-preserving U-Net.
#include "edm2/network.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "config_reader.h"
#include "edm/labels.h"
#include "edm2/blocks.h"
#include "internal/runtime/pointwise.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::edm2 {
namespace {

struct Config {
  int64_t resolution = 0;
  int64_t image_channels = 0;
  int64_t label_dim = 0;
  double sigma_data = 0.5;
  int64_t logvar_channels = 128;
  std::vector<int64_t> channels;  ///< of each level
  int64_t noise_channels = 0;
  int64_t num_blocks = 3;
  std::vector<int64_t> attention_resolutions = {16, 8};
  double label_balance = 0.5;
  double concat_balance = 0.5;
  BlockOptions block;
};

Config read_config(const nlohmann::json& model) {
  ConfigReader reader("edm2", model);
  Config config;
  config.resolution = reader.required<int64_t>("img_resolution");
  config.image_channels = reader.required<int64_t>("img_channels");
  config.label_dim = reader.required<int64_t>("label_dim");
  config.sigma_data = reader.optional("sigma_data", config.sigma_data);
  config.logvar_channels = reader.optional("logvar_channels", config.logvar_channels);
  const auto base = reader.optional<int64_t>("model_channels", 192);
  for (const int64_t mult : reader.optional<std::vector<int64_t>>("channel_mult", {1, 2, 3, 4})) {
    config.channels.push_back(base * mult);
  }
  edm::check_levels(reader, config.channels.size(), config.resolution);
  const auto noise_mult = reader.optional<int64_t>("channel_mult_noise", 0);
  const auto embedding_mult = reader.optional<int64_t>("channel_mult_emb", 0);
  config.noise_channels = noise_mult > 0 ? base * noise_mult : config.channels[0];
  config.block.embedding_channels =
      embedding_mult > 0 ? base * embedding_mult : *std::max_element(config.channels.begin(), config.channels.end());
  config.num_blocks = reader.optional("num_blocks", config.num_blocks);
  if (config.num_blocks < 1 || config.num_blocks > 1000) reader.fail("num_blocks must be from 1 to 1000");
  config.attention_resolutions = reader.optional("attn_resolutions", config.attention_resolutions);
  config.label_balance = reader.optional("label_balance", config.label_balance);
  config.concat_balance = reader.optional("concat_balance", config.concat_balance);
  config.block.taps = reader.optional("resample_filter", config.block.taps);
  config.block.channels_per_head = reader.optional("channels_per_head", config.block.channels_per_head);
  config.block.residual_balance = reader.optional("res_balance", config.block.residual_balance);
  config.block.attention_balance = reader.optional("attn_balance", config.block.attention_balance);
  const bool unclipped = model.contains("clip_act") && model["clip_act"].is_null();
  config.block.clip = unclipped ? INFINITY : reader.optional("clip_act", config.block.clip);
  for (const char* key : {"clip_act", "use_fp16", "dropout"}) reader.ignore(key);
  reader.finish();
  if (config.block.channels_per_head < 1) reader.fail("channels_per_head must be positive");
  if (config.block.taps.empty() || config.block.taps.size() % 2 != 0) {
    reader.fail("resample_filter needs an even number of taps");
  }
  return config;
}

/// Encoder and decoder, joined by skip connections.
class Ladder {
 public:
  Ladder(const Scope& scope, const Config& config) : concat_balance_(config.concat_balance) {
    using Side = Block::Side;
    const auto attends = [&](int64_t resolution) {
      const auto& list = config.attention_resolutions;
      return std::find(list.begin(), list.end(), resolution) != list.end();
    };
    std::vector<int64_t> skips;
    int64_t width = config.channels[0];
    for (std::size_t i = 0; i < config.channels.size(); ++i) {
      const int64_t resolution = config.resolution >> i;
      const std::string size = c10::str(resolution, "x", resolution, "_");
      if (i == 0) {
        // One more channel, all ones, stands in for the biases.
        first_ = MpConv(scope / "enc" / (size + "conv"), config.image_channels + 1, width, 3);
      } else {
        encoder_.emplace_back(scope / "enc" / (size + "down"), resolution, width, width, config.block, Side::kEncoder,
                              false, edm::Resample::kDown);
      }
      skips.push_back(width);
      for (int64_t block = 0; block < config.num_blocks; ++block) {
        encoder_.emplace_back(scope / "enc" / c10::str(size, "block", block), resolution, width, config.channels[i],
                              config.block, Side::kEncoder, attends(resolution));
        width = config.channels[i];
        skips.push_back(width);
      }
    }
    for (std::size_t i = config.channels.size(); i-- > 0;) {
      const int64_t resolution = config.resolution >> i;
      const std::string size = c10::str(resolution, "x", resolution, "_");
      const auto add = [&](const std::string& name, int64_t in, int64_t out, bool joins, bool attention,
                           edm::Resample resample) {
        decoder_.push_back({Block(scope / "dec" / (size + name), resolution, in, out, config.block, Side::kDecoder,
                                  attention, resample),
                            joins});
      };
      if (i + 1 == config.channels.size()) {
        add("in0", width, width, false, true, edm::Resample::kNone);
        add("in1", width, width, false, false, edm::Resample::kNone);
      } else {
        add("up", width, width, false, false, edm::Resample::kUp);
      }
      for (int64_t block = 0; block <= config.num_blocks; ++block) {
        add(c10::str("block", block), width + skips.back(), config.channels[i], true, attends(resolution),
            edm::Resample::kNone);
        width = config.channels[i];
        skips.pop_back();
      }
    }
  }

  Tensor operator()(const Tensor& image, const Tensor& embedding) const {
    Tensor x = first_(at::cat({image, at::ones_like(image.narrow(1, 0, 1))}, 1));
    std::vector<Tensor> skips = {x};
    for (const Block& block : encoder_) {
      x = block(x, embedding);
      skips.push_back(x);
    }
    for (const auto& [block, joins] : decoder_) {
      if (joins) {
        x = mp_cat(x, skips.back(), concat_balance_);
        skips.pop_back();
      }
      x = block(x, embedding);
    }
    return x;
  }

  void prepare(int64_t resolution) {
    first_.prepare(resolution);
    for (Block& block : encoder_) block.prepare();
    for (DecoderBlock& one : decoder_) one.block.prepare();
  }

 private:
  struct DecoderBlock {
    Block block;
    bool joins_skip;
  };

  double concat_balance_;
  MpConv first_;
  std::vector<Block> encoder_;
  std::vector<DecoderBlock> decoder_;
};

class Edm2 : public EdmDenoiser {
 public:
  explicit Edm2(const Config& config) : config_(config), ladder_(Scope(parameters_) / "unet", config) {
    const Scope unet = Scope(parameters_) / "unet";
    fourier_ = MpFourier(unet / "emb_fourier", config.noise_channels);
    noise_ = MpConv(unet / "emb_noise", config.noise_channels, config.block.embedding_channels, 0);
    if (config.label_dim > 0) {
      label_ = MpConv(unet / "emb_label", config.label_dim, config.block.embedding_channels, 0);
    }
    out_ = MpConv(unet / "out_conv", config.channels[0], config.image_channels, 3);
    out_gain_ = unet.norm("out_gain", {});
    // The estimate of the training loss, which sampling does not use.
    const MpFourier variance_features(Scope(parameters_) / "logvar_fourier", config.logvar_channels);
    const MpConv variance(Scope(parameters_) / "logvar_linear", config.logvar_channels, 1, 0);
  }

  Tensor denoise(const Tensor& image, const Tensor& noise_level, const Tensor& labels) const override {
    const at::ScalarType type = compute_type() == at::kDouble ? at::kDouble : at::kFloat;
    const Tensor x = image.to(type);
    edm::check_input("EdmDenoiser::denoise", x, noise_level, image_shape());
    const Tensor sigma = noise_level.to(x.device(), type).reshape({-1, 1, 1, 1});
    const Tensor rows = edm::label_rows("EdmDenoiser::denoise", labels, x.size(0), config_.label_dim, x.options());
    const double s = config_.sigma_data;
    const Tensor variance = sigma.square() + s * s;
    const Tensor scaled = (x * variance.rsqrt()).to(compute_type());
    const Tensor raw = out_(ladder_(scaled, embed((pointwise::logarithm(sigma) / 4).flatten(), rows)), out_gain_);
    return s * s / variance * x + sigma * s * variance.rsqrt() * raw.to(type);
  }

  std::vector<int64_t> image_shape() const override {
    return {config_.image_channels, config_.resolution, config_.resolution};
  }
  int64_t num_classes() const override { return config_.label_dim; }
  double sigma_min() const override { return 0; }
  double sigma_max() const override { return INFINITY; }

 protected:
  void prepare() override {
    ladder_.prepare(config_.resolution);
    for (MpConv* conv : {&noise_, &label_, &out_}) conv->prepare(config_.resolution);
  }

 private:
  Tensor embed(const Tensor& noise, const Tensor& labels) const {
    Tensor embedding = noise_(fourier_(noise));
    if (config_.label_dim > 0) {
      const Tensor scaled = labels * std::sqrt(config_.label_dim);
      embedding = mp_sum(embedding, label_(scaled), config_.label_balance);
    }
    return mp_silu(embedding);
  }

  Config config_;
  Ladder ladder_;
  MpFourier fourier_;
  MpConv noise_, label_, out_;
  Tensor out_gain_;
};

}  // namespace

std::unique_ptr<Network> make(const nlohmann::json& model) { return std::make_unique<Edm2>(read_config(model)); }

}  // namespace sextant::networks::edm2
