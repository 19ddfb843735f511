#include "internal/models/registry.h"

#include "internal/networks/deduce.h"
#include "internal/networks/families.h"
#include "internal/networks/torchscript.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using nlohmann::json;

const std::vector<Family>& families() {
  using namespace networks;
  static const std::vector<Family> kFamilies = {
      {"adm-unet", Role::kNoise, make_adm_unet, adm_presets, deduce_adm_unet, kAdmAssumed},
      {"adm-classifier", Role::kClassifier, make_adm_encoder, nullptr, deduce_adm_encoder,
       kAdmAssumed},  // its names stand in adm_presets
      {"dit", Role::kNoise, make_dit, dit_presets},
      {"edm", Role::kSigma, make_edm, edm_presets},
      {"edm2", Role::kSigma, make_edm2, edm2_presets},
      {"vae", Role::kAutoencoder, make_vae, vae_presets},
      {"clip", Role::kClip, make_clip, clip_presets, deduce_clip},
      {"resnet", Role::kClassifier, make_resnet, resnet_presets, deduce_resnet},
      {"cifar-resnet", Role::kClassifier, make_cifar_resnet, cifar_resnet_presets, deduce_cifar_resnet},
      {"vit", Role::kClassifier, make_vit, vit_presets},
      {"convnext", Role::kClassifier, make_convnext, convnext_presets},
      {"densenet", Role::kClassifier, make_densenet, densenet_presets},
      {"efficientnet", Role::kClassifier, make_efficientnet, efficientnet_presets},
      {"mnist-features", Role::kFeatures, make_mnist_features, nullptr, deduce_mnist_features},
      {"inception-fid", Role::kFeatures, make_inception, inception_presets},
      {"torchscript", Role::kClassifier, nullptr, torchscript_presets, nullptr, "", open_torchscript},
  };
  return kFamilies;
}

const Family& family_of(const json& config) {
  std::vector<std::string> types;
  for (const Family& family : families()) types.push_back(family.type);
  const auto type = config.find("type");
  if (type == config.end() || !type->is_string()) {
    throw CheckpointError("config.json has no \"type\"; it names the family of the network, such as \"resnet\"");
  }
  const auto name = type->get<std::string>();
  for (const Family& family : families()) {
    if (family.type == name) return family;
  }
  throw CheckpointError("config.json has the unknown type '" + name + "'." + did_you_mean(name, types));
}

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> kArchitectures = [] {
    std::vector<Architecture> all;
    for (const Family& family : families()) {
      if (!family.presets) continue;
      for (networks::Preset& preset : family.presets()) {
        const Role role = family_of(preset.config).role;
        all.push_back({std::move(preset), role});
      }
    }
    return all;
  }();
  return kArchitectures;
}

std::vector<std::string> arch_names(Role role) {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) {
    if (architecture.role == role) names.push_back(architecture.preset.name);
  }
  return names;
}

json arch_config(const std::string& arch) {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) {
    if (architecture.preset.name == arch) return architecture.preset.config;
    names.push_back(architecture.preset.name);
  }
  throw UsageError("architecture '" + arch + "' is unknown." + did_you_mean(arch, names) +
                   " 'sextant inspect FILE' shows which one a checkpoint fits");
}

std::unique_ptr<networks::Network> build(const json& config) {
  const Family& family = family_of(config);
  if (!family.make) {
    throw CheckpointError("a network of type '" + family.type + "' is its file and cannot be built without it");
  }
  return family.make(config.value("model", json::object()));
}

}  // namespace sextant::models
