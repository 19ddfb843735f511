// Settings with several values: what they are and all combinations of them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/sweep.h"

namespace sextant::commands {

/// A setting and its values: [guidance] alpha = [0.05, 0.1].
struct SettingAxis {
  std::string table;
  std::string key;
  std::vector<nlohmann::json> values;
};

/// Why a run's setting is the sweep's own affair, and where it is set; "" for all others.
std::string own_affair(const std::string& key);

/// The axes of an [axes] table: {"alpha": [...]} or {"guidance": {"alpha": [...]}}. UsageError for a setting that
/// `sextant sample` does not have, with the nearest, and for what is no list.
std::vector<SettingAxis> named_axes(const nlohmann::json& axes);

/// Takes lists out of tables of settings where a single value belongs: those are axes.
std::vector<SettingAxis> taken_axes(nlohmann::json& tables);

/// One combination of values.
struct Combination {
  std::string name;       ///< "alpha 0.05, epsilon 0.1"; "" without axes
  nlohmann::json tables;  ///< {"guidance": {"alpha": 0.05, "epsilon": 0.1}}
};

/// All combinations, the last axis varying fastest; one without a name where there are no axes.
std::vector<Combination> combinations(const std::vector<SettingAxis>& axes);

/// `axes` without those whose setting `tables` fixes.
std::vector<SettingAxis> without_fixed(const std::vector<SettingAxis>& axes, const nlohmann::json& tables);

/// UsageError for an axis that a setting of the sweep itself would override: its cells would be one run of many names.
void check_not_overridden(const std::vector<SettingAxis>& axes, const SweepConfig& sweep);

}  // namespace sextant::commands
