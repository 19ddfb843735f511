#include "sweep/entries.h"

#include <algorithm>
#include <cmath>

#include "internal/runtime/text.h"
#include "internal/runtime/utf8.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// `name` as messages show it.
std::string beginning_of(const std::string& name) {
  constexpr std::size_t kShown = 60;
  if (name.size() <= kShown) return one_line(name);
  std::size_t end = kShown;
  while ((name[end] & 0xc0) == 0x80) --end;  // not within a character
  return one_line(name.substr(0, end)) + "...";
}

/// UsageError for a number that no paper printed of the metric, or that would stand beside nothing.
void check_printed(const std::string& metric, double value, const std::vector<std::string>& scored) {
  const auto& words = evaluation::metric_words();
  if (value_of(words, metric) == nullptr) {
    throw UsageError("no metric is called '" + metric + "'." + did_you_mean(metric, names_of(words)));
  }
  if (!std::isfinite(value)) throw UsageError(metric + " must be a finite number, got " + shortest(value));
  if (!scored.empty() && std::find(scored.begin(), scored.end(), metric) == scored.end()) {
    throw UsageError(metric + " is not scored, only " + joined(scored, ", ", " and ") +
                     ": leave it out or add it to [evaluate] metrics");
  }
  const std::set<std::string> shares = {"accuracy", "precision", "recall", "coverage", "ece"};
  if (shares.contains(metric) && value > 1) {
    throw UsageError(metric + " is a share of 1: write " + shortest(value / 100) + " for " + shortest(value) + " %");
  }
}

/// What a paper printed, as {"metric": number}. A bare number is of the first metric that is scored.
json printed(const json& paper, const std::string& row, const std::vector<std::string>& scored) {
  if (paper.is_null()) return json::object();
  const json numbers = paper.is_number() ? json::object({{scored.empty() ? "fid" : scored.front(), paper}}) : paper;
  if (!numbers.is_object() ||
      !std::all_of(numbers.begin(), numbers.end(), [](const json& v) { return v.is_number(); })) {
    throw UsageError("row '" + row + "': paper must be a number or numbers by metric, such as {fid = 5.28}, got " +
                     paper.dump());
  }
  try {
    for (const auto& [metric, value] : numbers.items()) check_printed(metric, value, scored);
  } catch (const UsageError& error) {
    throw UsageError("row '" + row + "': paper: " + error.what());
  }
  return numbers;
}

}  // namespace

void check_name(const std::string& key, const std::string& name) {
  const char* why = name.empty()                          ? "it is empty"
                    : name.find('/') != std::string::npos ? "it has a '/'"
                    : name[0] == '.'                      ? "it begins with a '.'"
                    : one_line(name) != name              ? "it has a line break or another control character"
                                                          : nullptr;
  if (why != nullptr)
    throw UsageError("[[" + key + "]] name '" + beginning_of(name) + "' cannot name a folder: " + why);
}

void check_folder(const std::string& folder) {
  constexpr std::size_t kLongest = 200;  // bytes; file systems take 255
  if (folder.size() > kLongest) {
    throw UsageError("the folder of a cell would have a name of " + std::to_string(folder.size()) + " bytes, '" +
                     beginning_of(folder) + "': shorten what names it to " + std::to_string(kLongest) + " in all");
  }
  for (const char* own :
       {"table.md", "table.csv", "table.tex", "overview.png", "differences.svg", "differences.png", "run.json",
        "report.html", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal"}) {
    if (folder == own) throw UsageError("a row cannot be called '" + folder + "': a file of the sweep has that name");
  }
}

void check_own_affairs(const json& tables, const std::string& place) {
  if (!tables.contains("sample") || !tables["sample"].is_object()) return;
  SampleConfig defaults;
  const json idle = OptionTable("sample", sample_options(defaults)).to_json()["sample"];
  for (const auto& [name, value] : tables["sample"].items()) {
    const std::string key = with_dashes(name), whose = own_affair(key);
    if (whose.empty() || value.is_array() || (key != "out" && value == idle.at(key))) continue;
    throw UsageError(place + ": [sample] " + name + ": " + whose);
  }
}

std::vector<Entry> read_entries(const json& recipe, const std::string& key, const std::string& source) {
  std::vector<Entry> entries;
  std::set<std::string> names;
  for (const json& given : recipe.value(key, json::array())) {
    const bool named = given.is_object() && given.contains("name") && given["name"].is_string();
    if (!named) throw UsageError("every [[" + key + "]] needs a name");
    Entry entry;
    entry.name = given["name"];
    check_name(key, entry.name);
    if (!names.insert(entry.name).second) {
      throw UsageError("[[" + key + "]] has two entries called '" + entry.name + "'");
    }
    for (const auto& [name, value] : given.items()) {
      if (name == "skip") {
        const bool texts =
            value.is_array() && std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); });
        if (!texts) throw UsageError("[[" + key + "]] '" + entry.name + "': skip must list column names");
        for (const json& column : value) entry.skip.insert(column.get<std::string>());
      } else if (name == "paper") {
        entry.paper = value;
      } else if (name != "name") {
        entry.tables[name] = value;
      }
    }
    check_own_affairs(entry.tables, source + ": " + (key == "rows" ? "row" : "column") + " '" + entry.name + "'");
    entry.axes = taken_axes(entry.tables);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<json> printed_each(const Entry& row, std::size_t count, const std::vector<std::string>& scored) {
  if (!row.paper.is_array()) {
    if (!row.paper.is_null() && count > 1) {
      throw UsageError("row '" + row.name + "' has " + std::to_string(count) +
                       " cells along its axes: paper must be a list of as many");
    }
    return std::vector<json>(count, printed(row.paper, row.name, scored));
  }
  if (row.paper.size() != count) {
    throw UsageError("row '" + row.name + "': paper lists " + std::to_string(row.paper.size()) + " numbers for " +
                     std::to_string(count) + " cells");
  }
  std::vector<json> each;
  for (const json& one : row.paper) each.push_back(printed(one, row.name, scored));
  return each;
}

}  // namespace sextant::commands
