// What is in a checkpoint file, an .npz or a model folder.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"
#include "sextant/models/models.h"

namespace sextant::commands {

/// Settings of `sextant inspect`.
struct InspectConfig {
  models::WeightsChoice weights;  ///< what of the file is written and compared with architectures
  std::string to;                 ///< .safetensors file that the weights are written to; "" writes none
  bool json = false;              ///< prints the inspection as JSON instead of a page
  nlohmann::json recipe;          ///< of any command, instead of a file; null is none
};

/// The table of `sextant inspect`; the rows point into `config`.
std::vector<OptionGroup> inspect_options(InspectConfig& config);

/// {"file", "format", "bytes", "parameters", "tensors": [{"name", "dtype", "shape"}], "metadata", "config", "unread",
/// "guess", "group", "notes"}, of a folder also "type", as its config.json says. "guess" {"archs", "nearest", "config",
/// "why"} tells which architectures the weights fit, see models::Guess; "group" is what of the file they are, "notes"
/// what else there is to say of that. An .npz has none of them. CheckpointError when the file cannot be read.
nlohmann::json inspect(const std::filesystem::path& path, const models::WeightsChoice& choice = {});

/// The inspection as a page to read.
std::string inspection_text(const nlohmann::json& inspection);

/// The files and folders that a recipe of any command reads: [{"path", "there"}], and of those that are published where
/// to get them: "size", "address", "sha256", "note".
nlohmann::json inspect_recipe(const nlohmann::json& recipe);

/// The same as a page to read.
std::string recipe_text(const nlohmann::json& files);

/// Writes the weights of a checkpoint file or model folder, under the names that a network has for them, to `to`.
/// UsageError unless `to` ends in .safetensors and is another file.
void convert(const std::filesystem::path& from, const std::filesystem::path& to,
             const models::WeightsChoice& choice = {});

}  // namespace sextant::commands
