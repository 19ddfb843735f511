// The [[rows]] and [[columns]] of a sweep's recipe.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "sweep/axes.h"

namespace sextant::commands {

/// A [[rows]] or [[columns]] entry: its name, the tables it sets, and the lists in them.
struct Entry {
  std::string name;
  json tables = json::object();
  std::vector<SettingAxis> axes;
  std::set<std::string> skip;
  json paper;
};

/// The entries under `key`, "rows" or "columns"; none where there are none. UsageError for a name that is no part of a
/// folder's, for two of one name and for what a run of a sweep cannot have of its own.
std::vector<Entry> read_entries(const nlohmann::json& recipe, const std::string& key, const std::string& source);

/// UsageError, which begins with `place`, for settings of runs that the sweep itself decides.
void check_own_affairs(const nlohmann::json& tables, const std::string& place);

/// UsageError for a cell's folder that cannot be one in the sweep's own.
void check_folder(const std::string& folder);

/// What a paper printed of each of `count` combinations of the row's axes, as {"metric": number}; a bare number is of
/// the first metric that is scored. UsageError for other counts and for numbers that would stand beside nothing.
std::vector<nlohmann::json> printed_each(const Entry& row, std::size_t count, const std::vector<std::string>& scored);

/// UsageError for the name of a row or column that is no part of a folder's.
void check_name(const std::string& key, const std::string& name);

}  // namespace sextant::commands
