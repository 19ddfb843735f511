// Named architectures for `--arch`: the config.json that a published checkpoint does not bring along.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sextant::networks {

struct Preset {
  std::string name;  ///< "resnet101", "adm-imagenet-128", ...
  nlohmann::json
      config;  ///< as a model folder's config.json: "type", "model", and "input", "diffusion", "classes" as they apply
};

// One table per family, each in its own file.
std::vector<Preset> adm_presets();
std::vector<Preset> resnet_presets();
std::vector<Preset> cifar_resnet_presets();
std::vector<Preset> vit_presets();
std::vector<Preset> convnext_presets();
std::vector<Preset> densenet_presets();
std::vector<Preset> efficientnet_presets();
std::vector<Preset> inception_presets();
std::vector<Preset> edm_presets();
std::vector<Preset> edm2_presets();
std::vector<Preset> dit_presets();
std::vector<Preset> vae_presets();
std::vector<Preset> clip_presets();

}  // namespace sextant::networks
