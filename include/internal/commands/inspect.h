// What is in a checkpoint file, an .npz or a model folder.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"

namespace sextant::commands {

/// Settings of `sextant inspect`.
struct InspectConfig {
  std::string to;         ///< .safetensors file that the weights are written to; "" writes none
  bool json = false;      ///< prints the inspection as JSON instead of a page
  nlohmann::json recipe;  ///< of any command, instead of a file; null is none
};

/// The table of `sextant inspect`; the rows point into `config`.
std::vector<OptionGroup> inspect_options(InspectConfig& config);

/// {"file", "format", "bytes", "parameters", "tensors": [{"name", "dtype", "shape"}], "metadata", "config", "unread",
/// "guess"},
/// of a folder also "type", as its config.json says. "guess" {"archs", "nearest", "config", "why"} tells which
/// architectures the weights fit, see models::Guess; an .npz has none. CheckpointError when the file cannot be read.
nlohmann::json inspect(const std::filesystem::path& path);

/// The inspection as a page to read.
std::string inspection_text(const nlohmann::json& inspection);

/// The files and folders that a recipe of any command reads: [{"path", "there"}], and of those that are published where
/// to get them: "size", "address", "sha256", "note".
nlohmann::json inspect_recipe(const nlohmann::json& recipe);

/// The same as a page to read.
std::string recipe_text(const nlohmann::json& files);

/// Writes the weights of a checkpoint file, unwrapped as `load` does, to `to`. UsageError unless `to` ends in
/// .safetensors and is another file.
void convert(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sextant::commands
