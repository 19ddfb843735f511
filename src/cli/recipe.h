// Recipes: settings in files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace sextant::cli {

/// A TOML file as JSON. UsageError with line and column when it is no TOML, Error when it cannot be read.
nlohmann::json read_toml(const std::filesystem::path& path);

/// The settings of `command`, of any where it is "", in a recipe (*.toml) or in the run.json of an earlier run
/// (*.json): {"table": {"key": value}}.
nlohmann::json recipe_tables(const std::filesystem::path& path, const std::string& command);

}  // namespace sextant::cli
