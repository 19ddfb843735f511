#include <algorithm>
#include <set>

#include "internal/commands/sweep.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// A [[rows]] or [[columns]] entry: its name and the tables it sets.
struct Axis {
  std::string name;
  json tables = json::object();
  std::set<std::string> skip;
};

std::vector<Axis> read_axis(const json& recipe, const std::string& key) {
  std::vector<Axis> entries;
  std::set<std::string> names;
  for (const json& entry : recipe.value(key, json::array())) {
    const bool named = entry.is_object() && entry.contains("name") && entry["name"].is_string();
    if (!named) throw UsageError("every [[" + key + "]] needs a name");
    Axis axis;
    axis.name = entry["name"];
    const bool usable = !axis.name.empty() && axis.name.find('/') == std::string::npos && axis.name[0] != '.';
    if (!usable) throw UsageError("[[" + key + "]] name '" + axis.name + "' cannot name a folder");
    if (!names.insert(axis.name).second) throw UsageError("[[" + key + "]] has two entries called '" + axis.name + "'");
    for (const auto& [name, value] : entry.items()) {
      if (name == "skip") {
        const bool names =
            value.is_array() && std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); });
        if (!names) throw UsageError("[[" + key + "]] '" + axis.name + "': skip must list column names");
        for (const json& column : value) axis.skip.insert(column.get<std::string>());
      } else if (name != "name") {
        axis.tables[name] = value;
      }
    }
    entries.push_back(axis);
  }
  return entries;
}

json base_tables(const json& recipe) {
  json base = recipe;
  for (const char* key : {"sweep", "rows", "columns"}) base.erase(key);
  return base;
}

SampleConfig sample_config(const json& base, const Axis& column, const Axis& row, const SweepConfig& sweep) {
  SampleConfig config;
  OptionTable table("sample", sample_options(config));
  table.merge(base, "the recipe");
  table.merge(column.tables, "column '" + column.name + "'");
  table.merge(row.tables, "row '" + row.name + "'");
  config.run.out = sweep.run.out + "/" + row.name + (column.name.empty() ? "" : "-" + column.name);
  config.run.overwrite = sweep.run.overwrite;
  if (sweep.count > 0) config.sample.count = sweep.count;
  if (sweep.steps > 0) {
    config.sampler.steps = sweep.steps;
    config.sampler.respacing.clear();  // it would win over the steps
  }
  if (!sweep.run.device.empty()) config.run.device = sweep.run.device;
  config.run.threads = sweep.run.threads;
  return config;
}

}  // namespace

std::vector<SweepRun> sweep_runs(const json& recipe, const SweepConfig& config) {
  const std::vector<Axis> rows = read_axis(recipe, "rows");
  std::vector<Axis> columns = read_axis(recipe, "columns");
  if (rows.empty()) throw UsageError("the recipe has no [[rows]]: nothing to run");
  if (columns.empty()) columns.emplace_back();
  std::set<std::string> known;
  for (const Axis& column : columns) known.insert(column.name);

  const json base = base_tables(recipe);
  std::vector<SweepRun> runs;
  for (const Axis& row : rows) {
    for (const std::string& skipped : row.skip) {
      if (!known.contains(skipped))
        throw UsageError("row '" + row.name + "' skips '" + skipped + "', which is no column");
    }
    for (const Axis& column : columns) {
      if (!row.skip.contains(column.name))
        runs.push_back({row.name, column.name, sample_config(base, column, row, config)});
    }
  }
  return runs;
}

}  // namespace sextant::commands
