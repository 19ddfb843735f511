// The checkpoints that guided-diffusion (Dhariwal & Nichol 2021) published, with the flags its README gives for them.
#include "internal/networks/family.h"

#include "adm/classifier.h"
#include "adm/config.h"
#include "adm/deduce.h"
#include "adm/unet.h"
#include "initial.h"

namespace sextant::networks::adm {
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
  return {name, {{"type", "adm-unet"}, {"model", unet_arguments(flags)}, {"diffusion", process(flags)}}};
}

Preset upsampler(const std::string& name, const json& own) {
  const json flags = model_flags(own);
  return {name, {{"type", "adm-unet"}, {"model", upsampler_arguments(flags)}, {"diffusion", process(flags)}}};
}

/// A noise-aware classifier; `diffusion` is the process whose images it was trained on.
Preset classifier(const std::string& name, const json& own, const char* schedule) {
  return {name,
          {{"type", "adm-classifier"},
           {"model", encoder_arguments(own)},
           {"diffusion", {{"steps", 1000}, {"noise_schedule", schedule}}}}};
}

std::vector<Preset> unet_presets() {
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
  };
}

std::vector<Preset> classifier_presets() {
  return {
      classifier("adm64-classifier", {{"image_size", 64}, {"classifier_depth", 4}}, "cosine"),
      classifier("adm128-classifier", {{"image_size", 128}}, "linear"),
      classifier("adm256-classifier", {{"image_size", 256}}, "linear"),
      classifier("adm512-classifier", {{"image_size", 512}}, "linear"),
  };
}

/// The last layer of every residual branch starts at zero, so that every block starts as its skip; so does the layer
/// `output`, the network's own last.
Tensor initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise, const char* output) {
  const std::string layer = entry.name.substr(0, entry.name.rfind('.'));
  if (layer.ends_with("out_layers.3") || layer.ends_with("proj_out") || layer == output) return at::zeros(entry.shape);
  if (entry.name.ends_with("label_emb.weight")) return normal_initial(1, noise);
  if (entry.name.ends_with("positional_embedding")) {
    return normal_initial(1 / std::sqrt(static_cast<double>(entry.shape[0])), noise);
  }
  return default_initial(entry, all, noise);
}

Tensor unet_initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) {
  return initial(entry, all, noise, "out.2");
}

Tensor classifier_initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) {
  return initial(entry, all, noise, "out.3");
}

/// What shapes do not show.
constexpr const char* kAssumed =
    "image_size, the heads of the attention (num_head_channels or num_heads, use_new_attention_order) and the "
    "diffusion process";

}  // namespace

Family unet_family() {
  return {.type = "adm-unet",
          .role = Role::kNoise,
          .make = make_from<UNet, unet_config>,
          .presets = unet_presets,
          .deduce = deduce_unet,
          .assumed = kAssumed,
          .initialise = unet_initial};
}

Family classifier_family() {
  return {.type = "adm-classifier",
          .role = Role::kClassifier,
          .make = make_from<Classifier, encoder_config>,
          .presets = classifier_presets,
          .deduce = deduce_classifier,
          .assumed = kAssumed,
          .initialise = classifier_initial};
}

}  // namespace sextant::networks::adm
