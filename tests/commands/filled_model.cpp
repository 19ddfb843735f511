#include "commands/filled_model.h"

#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/fill.h"

namespace sextant::testing {

using nlohmann::json;
using Kind = networks::Parameters::Kind;

std::filesystem::path write_model(const std::filesystem::path& folder, const json& config, const std::string& prefix) {
  std::filesystem::create_directories(folder);
  const auto network = models::build(config);
  checkpoint::StateDict weights;
  FillRule rule;
  rule.prefix = prefix;
  for (const auto& entry : network->parameters().entries()) {
    if (entry.kind == Kind::kConstant) continue;
    const bool gain =
        entry.shape.empty() && entry.kind != Kind::kCounter;  // of EDM2: the rule's 0 silences the network
    weights.set(entry.name, gain ? at::ones({}) : filled(entry.name, entry.shape, rule, entry.kind == Kind::kCounter));
  }
  checkpoint::save_safetensors(folder / "model.safetensors", weights);
  write_atomically(folder / "config.json", config.dump());
  return folder;
}

json tiny_dit(int64_t classes) {
  return {{"type", "dit"},
          {"null_label", classes},
          {"diffusion", {{"noise_schedule", "linear"}, {"learn_sigma", true}, {"clip", false}}},
          {"model",
           {{"input_size", 8},
            {"patch_size", 2},
            {"in_channels", 4},
            {"hidden_size", 24},
            {"depth", 2},
            {"num_heads", 2},
            {"num_classes", classes}}}};
}

json tiny_adm(int64_t classes) {
  return {{"type", "adm-unet"},
          {"diffusion", {{"noise_schedule", "linear"}, {"learn_sigma", true}}},
          {"model",
           {{"image_size", 16},
            {"in_channels", 3},
            {"model_channels", 32},
            {"out_channels", 6},
            {"num_res_blocks", 1},
            {"attention_resolutions", {2}},
            {"channel_mult", {1, 2}},
            {"num_classes", classes},
            {"num_heads", 2},
            {"use_scale_shift_norm", true}}}};
}

json tiny_edm(int64_t classes) {
  return {{"type", "edm"},
          {"model",
           {{"precond", "EDMPrecond"},
            {"model_type", "DhariwalUNet"},
            {"img_resolution", 16},
            {"img_channels", 3},
            {"label_dim", classes},
            {"model_channels", 32},
            {"channel_mult", {1, 2}},
            {"num_blocks", 1},
            {"attn_resolutions", {8}}}}};
}

json tiny_edm2(int64_t channels, int64_t classes, int64_t width) {
  return {{"type", "edm2"},
          {"model",
           {{"img_resolution", 8},
            {"img_channels", channels},
            {"label_dim", classes},
            {"model_channels", width},
            {"channel_mult", {1, 2}},
            {"num_blocks", 1},
            {"attn_resolutions", {4}},
            {"channels_per_head", 16}}}};
}

json tiny_vae(int64_t latent_channels) {
  return {{"type", "vae"},
          {"model",
           {{"latent_channels", latent_channels},
            {"block_out_channels", {16, 32}},
            {"layers_per_block", 1},
            {"norm_num_groups", 8},
            {"scaling_factor", 0.18215}}}};
}

json tiny_resnet(int64_t channels, int64_t classes) {
  return {{"type", "resnet"},
          {"model",
           {{"block", "BasicBlock"},
            {"layers", {1, 1, 1, 1}},
            {"width", 8},
            {"in_channels", channels},
            {"num_classes", classes},
            {"stem_kernel", 3},
            {"stem_stride", 1},
            {"stem_pool", false}}}};
}

Tensor draw(commands::SampleConfig config, const std::filesystem::path& folder) {
  config.run.out = folder.string();
  config.sample.count = config.sample.batch = 2;
  config.sampler.steps = 2;
  config.sample.labels = "3,1";
  config.run.threads = 1;
  config.run.overwrite = true;
  std::ostringstream notes;
  const auto progress = make_progress(ProgressStyle::kQuiet, notes);
  Stop stop;
  commands::run_sample(config, *progress, stop);
  return checkpoint::load_npz(folder / "samples.npz").at("arr_0");
}

std::string refusal(commands::SampleConfig config, const std::filesystem::path& folder) {
  return message_of([&] { draw(std::move(config), folder); });
}

}  // namespace sextant::testing
