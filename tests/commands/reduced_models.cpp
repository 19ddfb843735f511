#include "commands/reduced_models.h"

#include "sextant/models/models.h"

namespace sextant::testing {

using nlohmann::json;

json reduced(const json& config) {
  const json& model = config.at("model");
  const std::string type = config.at("type");
  json small = config;
  if (type == "adm-unet") {
    small["model"] = tiny_adm(1).at("model");
    small["model"].erase("num_classes");
    if (model.contains("num_classes")) small["model"]["num_classes"] = model["num_classes"];
  } else if (type == "adm-classifier") {
    small["model"] = {{"image_size", 16},
                      {"in_channels", 3},
                      {"model_channels", 32},
                      {"out_channels", model.at("out_channels")},
                      {"num_res_blocks", 1},
                      {"attention_resolutions", {2}},
                      {"channel_mult", {1, 2}},
                      {"num_head_channels", 32},
                      {"use_scale_shift_norm", true},
                      {"resblock_updown", true},
                      {"pool", model.at("pool")}};
  } else if (type == "resnet") {
    small["model"]["layers"] = {1, 1, 1, 1};
    small["model"]["width_per_group"] = 16;
  } else if (type == "dit") {
    small["model"] = tiny_dit(model.at("num_classes")).at("model");
  } else if (type == "edm") {
    small["model"] = tiny_edm(model.at("label_dim")).at("model");
  } else if (type == "edm2") {
    small["model"] = tiny_edm2(model.at("img_channels"), model.at("label_dim")).at("model");
  } else if (type == "clip") {
    const int64_t patch = 4;
    small["input"]["size"] = 16;
    small["model"].update({{"embed_dim", 16},
                           {"image_resolution", 16},
                           {"vision_layers", 1},
                           {"vision_width", 64},
                           {"vision_patch_size", patch},
                           {"transformer_width", 64},
                           {"transformer_heads", 1},
                           {"transformer_layers", 1}});
  } else if (type == "vae") {
    small["model"] = tiny_vae(model.at("latent_channels")).at("model");
  } else {
    ADD_FAILURE() << "no reduced size is known for a network of type '" << type << "'; add it here";
  }
  return small;
}

void shrink_models(commands::SampleConfig& config, const std::filesystem::path& folder,
                   const std::string& folder_arch) {
  const auto shrink = [&](std::string& path, std::string& arch, const std::string& name) {
    if (path.empty()) return;
    if (arch.empty()) arch = folder_arch;
    ASSERT_FALSE(arch.empty()) << path << " stands without its architecture";
    path = write_model(folder / name, reduced(models::arch_config(arch)), name).string();
    arch.clear();
  };
  shrink(config.model.path, config.model.arch, "model");
  shrink(config.classifier.path, config.classifier.arch, "classifier");
  shrink(config.model.vae, config.model.vae_arch, "vae");
  shrink(config.model.autoguidance_model, config.model.autoguidance_arch, "autoguidance-model");
  if (!config.classifier.prompts.targets.empty())
    config.classifier.prompts.vocabulary = (source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz").string();
  config.guidance.guide.tilt_group = std::min<int64_t>(config.guidance.guide.tilt_group, 2);
}

}  // namespace sextant::testing
