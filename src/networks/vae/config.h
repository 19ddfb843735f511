#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace sextant::networks::vae {

/// Hyper-parameters of diffusers' AutoencoderKL.
struct Config {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t latent_channels = 4;
  std::vector<int64_t> widths = {128, 256, 512, 512};  ///< from the full resolution down
  int64_t layers_per_block = 2;
  int64_t groups = 32;
  int64_t sample_size = 256;  ///< the size of images that the machine is prepared for; others work too
  double scaling_factor = 0.18215;
  bool quant_conv = true;
  bool post_quant_conv = true;
};

/// CheckpointError for an unknown or unusable entry.
Config read_config(const nlohmann::json& model);

}  // namespace sextant::networks::vae
