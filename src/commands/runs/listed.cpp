#include "runs/listed.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "internal/commands/format.h"
#include "internal/runtime/options.h"
#include "internal/runtime/text.h"
#include "internal/runtime/utf8.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

std::string shown_text(const json& value) {
  if (value.is_string()) return one_line(value.get<std::string>());
  if (value.is_number_float()) return shortest(value.get<double>());
  return value.is_null() ? "" : value.dump();
}

/// "key=value,key=value" cut at the commas between conditions: one in a value, as in the names of rows along axes,
/// stands before no other "=".
std::vector<std::string> conditions_in(const std::string& where) {
  std::vector<std::string> parts;
  for (const std::string& part : split(where, ',')) {
    if (part.find('=') == std::string::npos && !parts.empty()) {
      parts.back() += "," + part;
    } else {
      parts.push_back(part);
    }
  }
  return parts;
}

/// The full name of a key whose table may be left out; "" where there is none.
std::string full_name(const std::string& key, const json& flat) {
  if (flat.contains(key)) return key;
  for (const auto& [name, value] : flat.items()) {
    if (name.ends_with("." + key)) return name;
  }
  return "";
}

/// What a key must be, as it is shown. UsageError for a state that there is not.
std::string wanted_value(const std::string& key, const std::string& given) {
  if (key == "sweep" && !given.empty()) {  // the ledger has its folder's whole path
    const auto whole = std::filesystem::weakly_canonical(std::filesystem::absolute(given));
    return one_line((whole.has_filename() ? whole : whole.parent_path()).string());
  }
  if (key == "state") {
    std::vector<std::string> states;
    for (const auto state :
         {ledger::State::kNew, ledger::State::kDrawing, ledger::State::kDone, ledger::State::kFailed}) {
      states.push_back(ledger::name_of(state));
    }
    if (std::find(states.begin(), states.end(), given) == states.end()) {
      throw UsageError("--where: no run can be in the state '" + one_line(given) + "', only " +
                       joined(states, ", ", " or ") + "." + did_you_mean(given, states));
    }
  }
  return one_line(given);
}

}  // namespace

std::vector<json> described(const ledger::Ledger& ledger) {
  std::map<int64_t, json> cells;
  for (const ledger::Sweep& sweep : ledger.sweeps()) {
    for (const ledger::Cell& cell : ledger.cells(sweep.id)) {
      cells[cell.run].push_back({{"row", cell.row}, {"column", cell.column}, {"sweep", sweep.out}});
    }
  }
  std::vector<json> runs;
  for (const ledger::Run& run : ledger.runs()) {
    json one = {{"id", run.id},
                {"row", ""},
                {"column", ""},
                {"sweep", ""},
                {"seed", run.settings.value("/sample/seed"_json_pointer, json(0))},
                {"state", ledger::name_of(run.state)},
                {"images", run.images},
                {"seconds_per_image", run.seconds_per_image},
                {"gradient_norm", run.gradient_norm},
                {"changed", run.changed},
                {"folder", run.folder},
                {"log", run.log},
                {"settings", run.settings},
                {"weights", run.weights},
                {"versions", run.versions},
                {"scores", json::object()}};
    const auto of_run = cells.find(run.id);
    one["cells"] = of_run == cells.end() ? json::array() : of_run->second;
    if (of_run != cells.end()) one.update(one["cells"][0]);
    for (const ledger::Score& score : ledger.latest_scores(run.id)) one["scores"][score.metric] = score.value;
    runs.push_back(std::move(one));
  }
  return runs;
}

json flattened(const json& run) {
  json flat = json::object();
  for (const auto& [key, value] : run.items()) {
    if (key == "settings") {
      for (const auto& [table, keys] : value.items()) {
        for (const auto& [name, setting] : keys.items()) flat[table + "." + name] = setting;
      }
    } else if (key == "scores") {
      for (const auto& [metric, number] : value.items()) flat[metric] = number;
    } else if (key == "weights") {
      for (const auto& [path, hash] : value.items()) flat["weights " + path] = hash;
    } else if (key == "versions") {
      for (const auto& [name, version] : value.items()) flat["version of " + name] = version;
    } else if (key != "cells") {
      flat[key] = value;
    }
  }
  return flat;
}

std::vector<json> matching(const std::vector<json>& runs, const std::string& where) {
  if (where.empty() || runs.empty()) return runs;
  std::vector<json> left;
  json known = json::object();
  for (const json& run : runs) known.update(flattened(run));
  std::vector<std::pair<std::string, std::string>> conditions;
  for (const std::string& part : conditions_in(where)) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) {
      throw UsageError("--where '" + part + "' must be KEY=VALUE, such as state=done or guidance.guidance=js");
    }
    const std::string key = trimmed(part.substr(0, equals));
    const std::string name = full_name(key, known);
    if (name.empty()) {
      std::vector<std::string> names;
      for (const auto& [one, value] : known.items()) {
        names.push_back(one);
        if (const auto dot = one.find('.'); dot != std::string::npos) names.push_back(one.substr(dot + 1));
      }
      throw UsageError("--where: no run has a '" + key + "'." + did_you_mean(key, names));
    }
    conditions.emplace_back(name, wanted_value(name, trimmed(part.substr(equals + 1))));
  }
  for (json run : runs) {
    json flat = flattened(run);
    json cells = run["cells"];
    if (cells.empty()) cells.push_back(json::object());
    for (const json& cell : cells) {
      flat.update(cell);
      const bool all = std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        return flat.contains(condition.first) && shown_text(flat[condition.first]) == condition.second;
      });
      if (!all) continue;
      run.update(cell);
      left.push_back(std::move(run));
      break;
    }
  }
  return left;
}

report::Table listing(const std::vector<json>& runs) {
  std::vector<std::string> metrics;
  bool columns = false, logs = false;
  for (const json& run : runs) {
    columns = columns || !run["column"].get<std::string>().empty();
    logs = logs || run["state"] == "failed";
    for (const auto& [metric, value] : run["scores"].items()) {
      if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) metrics.push_back(metric);
    }
  }
  report::Table table;
  table.header = {"id", "row"};
  if (columns) table.header.emplace_back("column");
  table.header.insert(table.header.end(), {"seed", "state", "images"});
  table.header.insert(table.header.end(), metrics.begin(), metrics.end());
  table.header.insert(table.header.end(), {"s/image", "changed (UTC)"});
  if (logs) table.header.emplace_back("why");
  for (const json& run : runs) {
    std::vector<std::string> row = {shown_text(run["id"]), shown_text(run["row"])};
    if (columns) row.push_back(shown_text(run["column"]));
    for (const char* key : {"seed", "state", "images"}) row.push_back(shown_text(run[key]));
    for (const std::string& metric : metrics) {
      row.push_back(run["scores"].contains(metric) ? report::fixed(run["scores"][metric].get<double>(), 4) : "");
    }
    row.push_back(report::fixed(run["seconds_per_image"].get<double>(), 4));
    row.push_back(shown_text(run["changed"]));
    const std::string log = run["log"];
    if (logs) row.push_back(run["state"] == "failed" ? one_line(log.substr(log.find_last_of('\n') + 1)) : "");
    table.rows.push_back(std::move(row));
  }
  return table;
}

report::Table whole_listing(const std::vector<json>& runs) {
  std::vector<std::string> header = {
      "id",      "row",    "column", "sweep", "seed", "state", "images", "seconds_per_image", "gradient_norm",
      "changed", "folder", "log"};
  std::set<std::string> metrics, settings;
  json rows = json::array();
  for (const json& run : runs) {
    rows.push_back(flattened(run));
    for (const auto& [metric, value] : run["scores"].items()) metrics.insert(metric);
    for (const auto& [table, keys] : run["settings"].items()) {
      for (const auto& [key, value] : keys.items()) settings.insert(table + "." + key);
    }
  }
  header.insert(header.end(), metrics.begin(), metrics.end());
  header.insert(header.end(), settings.begin(), settings.end());
  return plain_table(header, rows);
}

report::Table comparison(const json& a, const json& b) {
  const json one = flattened(a);
  const json other = flattened(b);
  std::set<std::string> keys;
  for (const auto& [key, value] : one.items()) keys.insert(key);
  for (const auto& [key, value] : other.items()) keys.insert(key);
  for (const char* own : {"id", "changed", "log", "sample.out", "sample.overwrite", "sample.quiet"}) keys.erase(own);
  report::Table table;
  table.header = {"key", "run " + shown_text(a["id"]), "run " + shown_text(b["id"])};
  for (const std::string& key : keys) {
    const std::string left = shown_text(one.value(key, json()));
    const std::string right = shown_text(other.value(key, json()));
    if (left != right) table.rows.push_back({key, left, right});
  }
  return table;
}

}  // namespace sextant::commands
