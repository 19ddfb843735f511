// The checkpoints that guided-diffusion published, with the flags its README gives for them.
#include "internal/networks/presets.h"

#include "adm/config.h"

namespace sextant::networks {
namespace {

using nlohmann::json;

/// What all published diffusion models have in common, updated with `own`.
json model_flags(const json& own) {
  json flags = {{"attention_resolutions", "32,16,8"},
                {"diffusion_steps", 1000},
                {"learn_sigma", true},
                {"noise_schedule", "linear"},
                {"num_channels", 256},
                {"num_res_blocks", 2},
                {"resblock_updown", true},
                {"use_scale_shift_norm", true}};
  flags.update(own);
  return flags;
}

Preset diffusion_model(const std::string& name, const json& own) {
  const json flags = model_flags(own);
  return {name, {{"type", "adm-unet"}, {"model", adm_unet_arguments(flags)}, {"diffusion", adm_diffusion(flags)}}};
}

Preset upsampler(const std::string& name, const json& own) {
  const json flags = model_flags(own);
  return {name, {{"type", "adm-unet"}, {"model", adm_upsampler_arguments(flags)}, {"diffusion", adm_diffusion(flags)}}};
}

/// A noise-aware classifier; `diffusion` is the process whose images it was trained on.
Preset classifier(const std::string& name, const json& own, const char* schedule) {
  return {name,
          {{"type", "adm-classifier"},
           {"model", adm_encoder_arguments(own)},
           {"diffusion", {{"steps", 1000}, {"noise_schedule", schedule}}}}};
}

}  // namespace

std::vector<Preset> adm_presets() {
  const json lsun = {{"image_size", 256}, {"num_head_channels", 64}, {"dropout", 0.1}};
  return {
      diffusion_model("adm64-cond", {{"image_size", 64},
                                     {"class_cond", true},
                                     {"dropout", 0.1},
                                     {"noise_schedule", "cosine"},
                                     {"num_channels", 192},
                                     {"num_head_channels", 64},
                                     {"num_res_blocks", 3},
                                     {"use_new_attention_order", true}}),
      diffusion_model("adm128-cond", {{"image_size", 128}, {"class_cond", true}, {"num_heads", 4}}),
      diffusion_model("adm256-cond", {{"image_size", 256}, {"class_cond", true}, {"num_head_channels", 64}}),
      diffusion_model("adm256-uncond", {{"image_size", 256}, {"num_head_channels", 64}}),
      diffusion_model("adm512-cond", {{"image_size", 512}, {"class_cond", true}, {"num_head_channels", 64}}),
      // Not OpenAI's: their 512x512 model fine-tuned without classes, in wide use with CLIP guidance.
      diffusion_model("adm512-uncond-finetuned", {{"image_size", 512}, {"num_head_channels", 64}}),
      diffusion_model("adm-lsun-bedroom", lsun),
      diffusion_model("adm-lsun-cat", lsun),
      diffusion_model("adm-lsun-horse", lsun),
      diffusion_model("adm-lsun-horse-nodropout", {{"image_size", 256}, {"num_head_channels", 64}}),
      upsampler(
          "adm-upsampler-64-256",
          {{"large_size", 256}, {"small_size", 64}, {"class_cond", true}, {"num_channels", 192}, {"num_heads", 4}}),
      upsampler("adm-upsampler-128-512", {{"large_size", 512},
                                          {"small_size", 128},
                                          {"class_cond", true},
                                          {"num_channels", 192},
                                          {"num_head_channels", 64},
                                          {"attention_resolutions", "32,16"}}),
      classifier("adm64-classifier", {{"image_size", 64}, {"classifier_depth", 4}}, "cosine"),
      classifier("adm128-classifier", {{"image_size", 128}}, "linear"),
      classifier("adm256-classifier", {{"image_size", 256}}, "linear"),
      classifier("adm512-classifier", {{"image_size", 512}}, "linear"),
  };
}

}  // namespace sextant::networks
