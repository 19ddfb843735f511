#include "internal/networks/family.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {

// One row a family: the folder, which is its namespace, and the function that it exports.
// clang-format off
#define SEXTANT_FAMILIES(row)                 \
  row(adm, unet_family)                       \
  row(adm, classifier_family)                 \
  row(dit, family)                            \
  row(edm, family)                            \
  row(edm2, family)                           \
  row(vae, family)                            \
  row(clip, family)                           \
  row(torchvision, resnet_family)             \
  row(cifar, resnet_family)                   \
  row(torchvision, vit_family)                \
  row(torchvision, convnext_family)           \
  row(torchvision, densenet_family)           \
  row(torchvision, efficientnet_family)       \
  row(mnist, features_family)                 \
  row(inception, family)                      \
  row(torchscript, family)
// clang-format on

#define SEXTANT_DECLARE(folder, function) \
  namespace folder {                      \
  Family function();                      \
  }
SEXTANT_FAMILIES(SEXTANT_DECLARE)

const std::vector<Family>& families() {
#define SEXTANT_CALL(folder, function) folder::function(),
  static const std::vector<Family> kFamilies = {SEXTANT_FAMILIES(SEXTANT_CALL)};
  return kFamilies;
}

const Family& family_of(const nlohmann::json& config) {
  const auto type = config.find("type");
  if (const auto classes = config.find("architectures"); type == config.end() && classes != config.end()) {
    throw CheckpointError("config.json is one of transformers' (" + classes->dump().substr(0, 80) +
                          "), whose layers have other names; take the weights that the network's authors published, "
                          "or export it as a TorchScript archive and name the architecture torchscript");
  }
  if (type == config.end() || !type->is_string()) {
    throw CheckpointError("config.json has no \"type\"; it names the family of the network, such as \"resnet\"");
  }
  const auto name = type->get<std::string>();
  std::vector<std::string> types;
  for (const Family& family : families()) {
    if (family.type == name) return family;
    types.push_back(family.type);
  }
  throw CheckpointError("config.json has the unknown type '" + name + "'." + did_you_mean(name, types));
}

}  // namespace sextant::networks
