#include "internal/models/registry.h"

#include "config_kinds.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using nlohmann::json;

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> kArchitectures = [] {
    std::vector<Architecture> all;
    for (const networks::Family& family : networks::families()) {
      if (!family.presets) continue;
      for (networks::Preset& preset : family.presets()) {
        all.push_back({std::move(preset), family.role});
      }
    }
    return all;
  }();
  return kArchitectures;
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

std::string doubt_about(const json& config, const checkpoint::StateDict& weights) {
  const networks::Family& family = networks::family_of(config);
  return family.doubt ? family.doubt(config.value("model", json::object()), weights) : "";
}

std::unique_ptr<networks::Network> build(const json& config) {
  const networks::Family& family = networks::family_of(config);
  if (!family.make) {
    throw CheckpointError("a network of type '" + family.type + "' is its file and cannot be built without it");
  }
  check_entries(config, "config.json");  // of a recipe's [model] table too
  return family.make(config.value("model", json::object()));
}

}  // namespace sextant::models
