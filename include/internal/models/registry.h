// The families of networks: one line each, and the only place that knows them all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "internal/networks/presets.h"
#include "sextant/models/models.h"

namespace sextant::models {

struct Family {
  std::string type;  ///< config.json's "type"
  Role role;
  std::function<std::unique_ptr<networks::Network>(const nlohmann::json& model)> make;  ///< empty where `open` is not
  std::vector<networks::Preset> (*presets)();  ///< null without named architectures
  nlohmann::json (*deduce)(const checkpoint::StateDict&) =
      nullptr;               ///< "model" by the shapes of weights, null where they are of others
  const char* assumed = "";  ///< what `deduce` cannot see and takes as usual
  /// For a family whose file is the network itself: opens it. There is nothing to make then.
  std::unique_ptr<networks::Network> (*open)(const nlohmann::json& model, const std::filesystem::path& file,
                                             at::Device device, at::ScalarType precision) = nullptr;
};

const std::vector<Family>& families();

/// The family of a config.json; CheckpointError for a missing or unknown type.
const Family& family_of(const nlohmann::json& config);

/// All named architectures, in the order of families().
struct Architecture {
  networks::Preset preset;
  Role role;
};
const std::vector<Architecture>& architectures();

}  // namespace sextant::models
