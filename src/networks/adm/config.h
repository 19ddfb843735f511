// Hyper-parameters of the networks of guided-diffusion (Dhariwal & Nichol 2021), "ADM".
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sextant::networks::adm {

constexpr std::size_t kMostLevels = 16;  ///< of channel_mult

enum class PoolKind { kAdaptive, kAttention, kSpatial, kSpatialV2 };

struct Config {
  int64_t image_size = 0;
  int64_t in_channels = 0;
  int64_t model_channels = 0;
  int64_t out_channels = 0;  ///< the classes of a classifier
  int64_t num_res_blocks = 0;
  std::vector<int64_t> attention_resolutions;  ///< downsampling factors
  std::vector<double> channel_mult = {1, 2, 4, 8};
  bool conv_resample = true;
  int64_t num_classes = 0;  ///< rows of the label table; 0 is unconditional
  int64_t num_heads = 1;
  int64_t num_head_channels = -1;   ///< overrides num_heads
  int64_t num_heads_upsample = -1;  ///< of the decoder; -1 is num_heads
  bool use_scale_shift_norm = false;
  bool resblock_updown = false;
  bool use_new_attention_order = false;
  double dropout = 0;                   ///< before the last convolution of a residual block, in training
  PoolKind pool = PoolKind::kAdaptive;  ///< classifiers only

  int64_t width(std::size_t level) const {
    return static_cast<int64_t>(channel_mult[level] * static_cast<double>(model_channels));
  }
  bool attends_at(int64_t downsampling) const;
};

/// From the arguments of UNetModel and EncoderUNetModel. CheckpointError names what is missing, unknown or unusable.
Config unet_config(const nlohmann::json& arguments);
Config encoder_config(const nlohmann::json& arguments);

// The arguments that guided-diffusion's command-line flags stand for, without the leading dashes. Flags left out have
// guided-diffusion's defaults. Flags of the diffusion process are accepted and do not matter here.
nlohmann::json unet_arguments(const nlohmann::json& flags);
nlohmann::json encoder_arguments(const nlohmann::json& flags);
/// Flags of super_res_sample.py: a UNetModel with twice the input channels, x and the enlarged small image.
nlohmann::json upsampler_arguments(const nlohmann::json& flags);

/// The diffusion process that the flags of a diffusion model stand for, as "diffusion" of a config.json.
nlohmann::json process(const nlohmann::json& flags);

}  // namespace sextant::networks::adm
