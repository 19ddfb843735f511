#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace sextant::checkpoint {

/// A model folder: `config.json` (type and every hyper-parameter) beside `model.safetensors` or the one
/// weights file that `config.json` names under "weights".
struct ModelFolder {
  nlohmann::json config;
  std::filesystem::path config_path;
  std::filesystem::path weights;
};

/// CheckpointError with one line where a part is missing or unusable.
ModelFolder open_model_folder(const std::filesystem::path& folder);

}  // namespace sextant::checkpoint
