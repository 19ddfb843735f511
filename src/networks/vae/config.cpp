// Hyper-parameters of diffusers' AutoencoderKL, the autoencoder of latent diffusion (Rombach et al. 2022).
#include "vae/config.h"

#include <c10/util/StringUtil.h>

#include "config_reader.h"

namespace sextant::networks::vae {
namespace {

/// `key` lists block types, of which only `expected`, the convolutional one, is part of this autoencoder.
void check_block_types(ConfigReader& reader, const std::string& key, const std::string& expected) {
  for (const auto& type : reader.optional<std::vector<std::string>>(key, {})) {
    if (type != expected) reader.fail("'" + key + "' holds '" + type + "'; only " + expected + " is supported");
  }
}

}  // namespace

Config read_config(const nlohmann::json& model) {
  ConfigReader reader("vae", model);
  Config config;
  config.in_channels = reader.optional("in_channels", config.in_channels);
  config.out_channels = reader.optional("out_channels", config.out_channels);
  config.latent_channels = reader.optional("latent_channels", config.latent_channels);
  config.widths = reader.optional("block_out_channels", config.widths);
  config.layers_per_block = reader.optional("layers_per_block", config.layers_per_block);
  config.groups = reader.optional("norm_num_groups", config.groups);
  config.sample_size = reader.optional("sample_size", config.sample_size);
  config.scaling_factor = reader.optional("scaling_factor", config.scaling_factor);
  config.quant_conv = reader.optional("use_quant_conv", true);
  config.post_quant_conv = reader.optional("use_post_quant_conv", true);
  check_block_types(reader, "down_block_types", "DownEncoderBlock2D");
  check_block_types(reader, "up_block_types", "UpDecoderBlock2D");
  if (reader.optional<std::string>("act_fn", "silu") != "silu") reader.fail("only act_fn 'silu' is supported");
  if (reader.optional<double>("shift_factor", 0) != 0) reader.fail("a shift_factor is not supported");
  if (!reader.optional("mid_block_add_attention", true)) reader.fail("mid_block_add_attention must be true");
  for (const char* key : {"latents_mean", "latents_std"}) {
    if (!reader.optional<std::vector<double>>(key, {}).empty()) {
      reader.fail("'" + std::string(key) + "', which moves every channel of the latents, is not supported");
    }
  }
  for (const char* key : {"_class_name", "_diffusers_version", "_name_or_path", "force_upcast"}) reader.ignore(key);
  reader.finish();
  if (config.widths.empty() || config.widths.size() > 16) reader.fail("block_out_channels needs 1 to 16 widths");
  for (const int64_t width : config.widths) {
    if (config.groups < 1 || width < 1 || width % config.groups != 0) {
      reader.fail(c10::str("norm_num_groups ", config.groups, " does not divide block_out_channels ", width));
    }
  }
  return config;
}

}  // namespace sextant::networks::vae
