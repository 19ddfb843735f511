// DDPM++ and NCSN++ (Song et al. 2021) and ADM (Dhariwal & Nichol 2021), as Karras et al. 2022 (EDM) write them.
#include "edm/unet.h"

#include <algorithm>
#include <cmath>

#include "internal/kernels/norm.h"
#include "internal/runtime/pointwise.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::edm {
namespace {

/// DDPM++ (positional embedding, standard encoder) and NCSN++ (Fourier features, residual encoder, wider filter).
class SongUNet : public RawNetwork {
 public:
  struct Config {
    int64_t label_dim = 0;
    int64_t augment_dim = 0;
    int64_t embedding_channels = 0;
    int64_t noise_channels = 0;
    bool fourier = false;
    LadderConfig ladder;
  };

  SongUNet(const Scope& scope, const Config& config)
      : config_(config),
        map_layer0_(embedding_linear(scope / "map_layer0", config.noise_channels, config.embedding_channels)),
        map_layer1_(embedding_linear(scope / "map_layer1", config.embedding_channels, config.embedding_channels)),
        ladder_(scope, config.ladder) {
    if (config.fourier) frequencies_ = (scope / "map_noise").norm("freqs", {config.noise_channels / 2});
    if (config.label_dim > 0) {
      map_label_ = embedding_linear(scope / "map_label", config.label_dim, config.noise_channels);
    }
    // Only training shows the network how an image was augmented; sampling leaves the term out.
    if (config.augment_dim > 0) {
      embedding_linear(scope / "map_augment", config.augment_dim, config.noise_channels, false);
    }
  }

  Tensor forward(const Tensor& x, const Tensor& noise, const Tensor& labels) const override {
    const Tensor waves = config_.fourier ? fourier_embedding(noise, frequencies_)
                                         : positional_embedding(noise, config_.noise_channels, true);
    const auto cos_sin = waves.chunk(2, 1);
    Tensor embedding = at::cat({cos_sin[1], cos_sin[0]}, 1);
    if (config_.label_dim > 0) embedding = embedding + map_label_(labels * std::sqrt(config_.label_dim));
    embedding = pointwise::silu(map_layer1_(pointwise::silu(map_layer0_(embedding))));
    return ladder_(x, embedding);
  }

  void lay_out() override { ladder_.lay_out(); }

 private:
  Config config_;
  Tensor frequencies_;
  Linear map_label_, map_layer0_, map_layer1_;
  Ladder ladder_;
};

/// ADM, with the group counts and the attention order of NVlabs/edm.
class DhariwalUNet : public RawNetwork {
 public:
  struct Config {
    int64_t label_dim = 0;
    int64_t augment_dim = 0;
    int64_t model_channels = 0;
    LadderConfig ladder;
  };

  DhariwalUNet(const Scope& scope, const Config& config)
      : config_(config),
        map_layer0_(embedding_linear(scope / "map_layer0", config.model_channels, width())),
        map_layer1_(embedding_linear(scope / "map_layer1", width(), width())),
        ladder_(scope, config.ladder),
        out_norm_(edm_group_norm(scope / "out_norm", config.ladder.channels[0], 1e-5, true)),
        out_conv_(scope / "out_conv", config.ladder.channels[0], config.ladder.out_channels, 3) {
    if (config.label_dim > 0) map_label_ = embedding_linear(scope / "map_label", config.label_dim, width(), false);
    if (config.augment_dim > 0) {
      embedding_linear(scope / "map_augment", config.augment_dim, config.model_channels, false);
    }
  }

  Tensor forward(const Tensor& x, const Tensor& noise, const Tensor& labels) const override {
    const Tensor waves = positional_embedding(noise, config_.model_channels, false);
    Tensor embedding = map_layer1_(pointwise::silu(map_layer0_(waves)));
    if (config_.label_dim > 0) embedding = embedding + map_label_(labels);
    return out_conv_(kernels::group_norm(ladder_(x, pointwise::silu(embedding)), out_norm_));
  }

  void lay_out() override {
    ladder_.lay_out();
    out_conv_.lay_out(config_.ladder.resolution);
  }

 private:
  int64_t width() const { return config_.ladder.block.embedding_channels; }

  Config config_;
  Linear map_label_, map_layer0_, map_layer1_;
  Ladder ladder_;
  kernels::GroupNorm out_norm_;
  Conv out_conv_;
};

Auxiliary auxiliary(ConfigReader& config, const std::string& key) {
  const auto name = config.optional<std::string>(key, "standard");
  if (name == "standard") return Auxiliary::kStandard;
  if (name == "skip") return Auxiliary::kSkip;
  if (name == "residual" && key == "encoder_type") return Auxiliary::kResidual;
  config.fail("hyper-parameter '" + key + "' has the unknown value '" + name + "'");
}

/// What both networks read alike; `channels` from `channel_mult` times `model_channels`.
LadderConfig ladder_config(ConfigReader& config, int64_t model_channels, const std::vector<int64_t>& default_mult,
                           int64_t default_blocks, const std::vector<int64_t>& default_attention, int64_t resolution) {
  LadderConfig ladder;
  ladder.resolution = resolution;
  for (const int64_t mult : config.optional("channel_mult", default_mult)) {
    ladder.channels.push_back(model_channels * mult);
  }
  check_levels(config, ladder.channels.size(), resolution);
  ladder.num_blocks = config.optional<int64_t>("num_blocks", default_blocks);
  if (ladder.num_blocks < 1 || ladder.num_blocks > 1000) config.fail("num_blocks must be from 1 to 1000");
  ladder.attention_resolutions = config.optional("attn_resolutions", default_attention);
  ladder.block.embedding_channels = model_channels * config.optional<int64_t>("channel_mult_emb", 4);
  config.ignore("dropout");
  config.ignore("label_dropout");
  return ladder;
}

std::unique_ptr<RawNetwork> make_song(const Scope& scope, ConfigReader& reader, int64_t resolution, int64_t in,
                                      int64_t out, int64_t label_dim) {
  SongUNet::Config config;
  const auto model_channels = reader.optional<int64_t>("model_channels", 128);
  config.label_dim = label_dim;
  config.augment_dim = reader.optional<int64_t>("augment_dim", 0);
  config.ladder = ladder_config(reader, model_channels, {1, 2, 2, 2}, 4, {16}, resolution);
  config.embedding_channels = config.ladder.block.embedding_channels;
  config.noise_channels = model_channels * reader.optional<int64_t>("channel_mult_noise", 1);
  const auto embedding = reader.optional<std::string>("embedding_type", "positional");
  if (embedding != "positional" && embedding != "fourier") {
    reader.fail("hyper-parameter 'embedding_type' has the unknown value '" + embedding + "'");
  }
  config.fourier = embedding == "fourier";
  config.ladder.in_channels = in;
  config.ladder.out_channels = out;
  config.ladder.first_channels = model_channels;
  config.ladder.encoder = auxiliary(reader, "encoder_type");
  config.ladder.decoder = auxiliary(reader, "decoder_type");
  config.ladder.auxiliary_output = true;
  config.ladder.attention_in_last_block_only = true;
  config.ladder.block.heads = 1;
  config.ladder.block.residual_scale = M_SQRT1_2;
  config.ladder.block.eps = 1e-6;
  config.ladder.block.project_skip = true;
  config.ladder.block.adaptive_scale = false;
  config.ladder.block.taps = reader.optional<std::vector<double>>("resample_filter", {1, 1});
  if (config.ladder.block.taps.empty() || config.ladder.block.taps.size() % 2 != 0) {
    reader.fail("hyper-parameter 'resample_filter' needs an even number of taps");
  }
  return std::make_unique<SongUNet>(scope, config);
}

std::unique_ptr<RawNetwork> make_dhariwal(const Scope& scope, ConfigReader& reader, int64_t resolution, int64_t in,
                                          int64_t out, int64_t label_dim) {
  DhariwalUNet::Config config;
  config.model_channels = reader.optional<int64_t>("model_channels", 192);
  config.label_dim = label_dim;
  config.augment_dim = reader.optional<int64_t>("augment_dim", 0);
  config.ladder = ladder_config(reader, config.model_channels, {1, 2, 3, 4}, 3, {32, 16, 8}, resolution);
  config.ladder.in_channels = in;
  config.ladder.out_channels = out;
  config.ladder.first_channels = config.ladder.channels[0];
  return std::make_unique<DhariwalUNet>(scope, config);
}

}  // namespace

std::unique_ptr<RawNetwork> make_raw_network(const Scope& scope, ConfigReader& config, const std::string& default_type,
                                             int64_t resolution, int64_t in_channels, int64_t out_channels,
                                             int64_t label_dim) {
  const auto type = config.optional<std::string>("model_type", default_type);
  if (type == "SongUNet") return make_song(scope, config, resolution, in_channels, out_channels, label_dim);
  if (type == "DhariwalUNet") return make_dhariwal(scope, config, resolution, in_channels, out_channels, label_dim);
  config.fail("model_type '" + type + "' is unknown; expected SongUNet or DhariwalUNet");
}

}  // namespace sextant::networks::edm
