#include <algorithm>
#include <cmath>
#include <set>

#include "internal/commands/sweep.h"
#include "internal/runtime/text.h"
#include "internal/runtime/utf8.h"
#include "sextant/runtime/error.h"
#include "sweep/axes.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// A [[rows]] or [[columns]] entry: its name, the tables it sets, and the lists in them.
struct Entry {
  std::string name;
  json tables = json::object();
  std::vector<SettingAxis> axes;
  std::set<std::string> skip;
  json paper;
};

/// `name` as messages show it.
std::string beginning_of(const std::string& name) {
  constexpr std::size_t kShown = 60;
  if (name.size() <= kShown) return one_line(name);
  std::size_t end = kShown;
  while ((name[end] & 0xc0) == 0x80) --end;  // not within a character
  return one_line(name.substr(0, end)) + "...";
}

/// UsageError for the name of a row or column that is no part of a folder's.
void check_name(const std::string& key, const std::string& name) {
  const char* why = name.empty()                          ? "it is empty"
                    : name.find('/') != std::string::npos ? "it has a '/'"
                    : name[0] == '.'                      ? "it begins with a '.'"
                    : one_line(name) != name              ? "it has a line break or another control character"
                                                          : nullptr;
  if (why != nullptr)
    throw UsageError("[[" + key + "]] name '" + beginning_of(name) + "' cannot name a folder: " + why);
}

/// UsageError for a cell's folder that cannot be one in the sweep's own.
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

std::vector<Entry> read_entries(const json& recipe, const std::string& key) {
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
    entry.axes = taken_axes(entry.tables);
    entries.push_back(std::move(entry));
  }
  return entries;
}

json base_tables(const json& recipe) {
  json base = recipe;
  for (const char* key : {"sweep", "rows", "columns", "axes", "evaluate"}) base.erase(key);
  return base;
}

/// The metrics that cells are scored by, in the recipe's order; none where the data decide or nothing is scored.
std::vector<std::string> scored_metrics(const json& recipe, const SweepConfig& config) {
  std::vector<std::string> metrics;
  if (const auto evaluate = sweep_evaluation(recipe, config)) {
    for (const evaluation::Metric metric : evaluate->options.metrics) {
      metrics.push_back(sextant::word_of(evaluation::metric_words(), metric));
    }
  } else if (!config.judge.empty()) {
    if (!config.reference.empty()) metrics.emplace_back("fid");
    metrics.emplace_back("accuracy");
  }
  return metrics;
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

std::vector<uint64_t> seeds_of(const SweepConfig& config) {
  std::vector<uint64_t> seeds;
  if (config.seeds.empty()) return seeds;
  for (const std::string& text : split(config.seeds, ',')) {
    SampleConfig one;
    try {
      OptionTable("sample", sample_options(one)).set("--seed", trimmed(text));
    } catch (const UsageError&) {
      throw UsageError("seeds must be whole numbers such as 0,1,2, got '" + config.seeds + "'");
    }
    if (std::find(seeds.begin(), seeds.end(), one.sample.seed) != seeds.end()) {
      throw UsageError("seeds names " + trimmed(text) + " twice");
    }
    seeds.push_back(one.sample.seed);
  }
  return seeds;
}

/// What one run is made of, in the order in which settings override each other.
struct Layers {
  json base;
  Combination common;  ///< of the axes of all rows
  Entry column;
  Entry row;
  Combination own;  ///< of the row's axes
};

SampleConfig sample_config(const Layers& layers, const SweepConfig& sweep) {
  SampleConfig config;
  OptionTable table("sample", sample_options(config));
  const std::string row = sweep.source + ": row '" + layers.row.name + "'";
  table.merge(layers.base, sweep.source);
  table.merge(layers.common.tables, sweep.source + ": the axes");
  table.merge(layers.column.tables, sweep.source + ": column '" + layers.column.name + "'");
  table.merge(layers.row.tables, row);
  table.merge(layers.own.tables, row);
  config.run.overwrite = sweep.run.overwrite;
  if (sweep.count > 0) config.sample.count = sweep.count;
  if (sweep.steps > 0) {
    config.sampler.steps = sweep.steps;
    config.sampler.respacing.clear();  // it would win over the steps
  }
  if (sweep.device) config.run.device = *sweep.device;
  config.run.threads = sweep.run.threads;
  return config;
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!name.empty()) text += (text.empty() ? "" : ", ") + name;
  }
  return replaced(text, "/", "-");
}

/// The printed numbers of each of `count` combinations.
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

void check_baseline(const std::vector<SweepRun>& runs, const SweepConfig& config) {
  if (config.baseline.empty()) return;
  std::vector<std::string> rows(runs.size());
  std::transform(runs.begin(), runs.end(), rows.begin(), [](const SweepRun& run) { return run.row; });
  if (std::find(rows.begin(), rows.end(), config.baseline) != rows.end()) return;
  throw UsageError("baseline '" + config.baseline + "' is no row." + did_you_mean(config.baseline, rows));
}

}  // namespace

std::vector<SweepRun> sweep_runs(const json& recipe, const SweepConfig& config) {
  std::vector<Entry> rows = read_entries(recipe, "rows");
  std::vector<Entry> columns = read_entries(recipe, "columns");
  Layers layers{base_tables(recipe), {}, {}, {}, {}};
  std::vector<SettingAxis> common = named_axes(recipe.value("axes", json::object()));
  for (SettingAxis& axis : taken_axes(layers.base)) common.push_back(std::move(axis));
  check_places(layers.base, config.source);
  if (rows.empty() && common.empty()) throw UsageError("the recipe has no [[rows]] and no axes: nothing to run");
  if (rows.empty()) rows.emplace_back();
  if (columns.empty()) columns.emplace_back();
  std::set<std::string> known;
  for (const Entry& column : columns) {
    known.insert(column.name);
    if (!column.axes.empty()) {
      throw UsageError("column '" + column.name + "' has a list for " + column.axes[0].key + "; give it to a row");
    }
  }
  const std::vector<std::string> scored = scored_metrics(recipe, config);
  std::vector<uint64_t> seeds = seeds_of(config);
  std::set<std::string> folders;
  std::vector<SweepRun> runs;
  for (const Entry& row : rows) {
    for (const std::string& skipped : row.skip) {
      if (!known.contains(skipped))
        throw UsageError("row '" + row.name + "' skips '" + skipped + "', which is no column");
    }
    layers.row = row;
    json lists = json::object();
    for (const SettingAxis& axis : row.axes) lists[axis.table][axis.key] = true;
    const std::vector<SettingAxis> shared = without_fixed(without_fixed(common, row.tables), lists);
    check_not_overridden(shared, config);
    check_not_overridden(row.axes, config);
    const std::vector<Combination> outer = combinations(shared);
    const std::vector<Combination> inner = combinations(row.axes);
    constexpr std::size_t kMostRuns = 100'000;
    const std::size_t each = columns.size() * std::max<std::size_t>(1, seeds.size());
    if (runs.size() + outer.size() * inner.size() * each > kMostRuns) {
      throw UsageError("the recipe has more than " + std::to_string(kMostRuns) + " runs");
    }
    std::vector<std::string> varied;
    for (const auto* axes : {&shared, &row.axes}) {
      for (const SettingAxis& axis : *axes) {
        if (axis.values.size() > 1) varied.push_back(axis.key);
      }
    }
    const std::vector<json> paper = printed_each(row, outer.size() * inner.size(), scored);
    for (std::size_t cell = 0; cell < paper.size(); ++cell) {
      layers.common = outer[cell / inner.size()];
      layers.own = inner[cell % inner.size()];
      const std::string name = joined_names({row.name, layers.common.name, layers.own.name});
      check_name("rows", name);
      for (const Entry& column : columns) {
        if (row.skip.contains(column.name)) continue;
        layers.column = column;
        const std::string folder = name + (column.name.empty() ? "" : "-" + column.name);
        check_folder(folder);
        if (!folders.insert(folder).second) throw UsageError("two cells would be in the folder '" + folder + "'");
        SampleConfig sample = sample_config(layers, config);
        sample.run.out = config.run.out + "/" + folder;
        if (seeds.empty()) runs.push_back({name, column.name, paper[cell], sample, varied});
        for (const uint64_t seed : seeds) {
          SampleConfig seeded = sample;
          seeded.sample.seed = seed;
          if (seeds.size() > 1) seeded.run.out += "/seed-" + std::to_string(seed);
          runs.push_back({name, column.name, paper[cell], seeded, varied});
        }
      }
    }
  }
  check_baseline(runs, config);
  return runs;
}

}  // namespace sextant::commands
