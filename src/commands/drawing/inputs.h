// The files that images depend on, beside the settings that name them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/sample.h"

namespace sextant::commands {

/// The models' files and folders that a run reads, as its settings name them.
std::vector<std::string> models_of(const SampleConfig& config);

/// {path: hash} of what those and a file of answers hold now; null for one that is not there.
nlohmann::json files_of(const SampleConfig& config);

/// Whether the files of a former run, files_of() it, are those of now. One that has gone cannot have changed.
bool same_files(const nlohmann::json& former, const nlohmann::json& now);

/// `weights`, OpenedWeights::record(), and behind them in the same form what the config.json of those models that are
/// folders say: [{"role": "settings", "file", "hash"}].
nlohmann::json with_settings_of(const std::vector<std::string>& models, nlohmann::json weights);

/// The same of a run, and what a file of answers holds.
nlohmann::json inputs_of(const SampleConfig& config, nlohmann::json weights);

}  // namespace sextant::commands
