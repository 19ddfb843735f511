#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace sextant::checkpoint {

/// A model folder: `config.json` (type and every hyper-parameter) beside `model.safetensors` or the one
/// weights file that `config.json` names under "weights".
struct ModelFolder {
  nlohmann::json config;
  std::filesystem::path config_path;
  std::filesystem::path weights;  ///< of a model without: config_path
};

/// CheckpointError with one line where a part is missing or unusable. `has_weights` says of a config.json whether there
/// is a file of weights beside it; left out, there always is.
ModelFolder open_model_folder(const std::filesystem::path& folder,
                              bool (*has_weights)(const nlohmann::json& config) = nullptr);

}  // namespace sextant::checkpoint
