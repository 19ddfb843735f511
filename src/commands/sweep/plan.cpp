#include <algorithm>
#include <set>

#include "internal/commands/sweep.h"
#include "internal/runtime/text.h"
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

void check_folder_name(const std::string& key, const std::string& name) {
  const bool usable = !name.empty() && name.find('/') == std::string::npos && name[0] != '.';
  if (!usable) throw UsageError("[[" + key + "]] name '" + name + "' cannot name a folder");
}

std::vector<Entry> read_entries(const json& recipe, const std::string& key) {
  std::vector<Entry> entries;
  std::set<std::string> names;
  for (const json& given : recipe.value(key, json::array())) {
    const bool named = given.is_object() && given.contains("name") && given["name"].is_string();
    if (!named) throw UsageError("every [[" + key + "]] needs a name");
    Entry entry;
    entry.name = given["name"];
    check_folder_name(key, entry.name);
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

/// What a paper printed, as {"metric": number}. A bare number is of the first metric.
json printed(const json& paper, const std::string& row, const std::string& first_metric) {
  if (paper.is_null()) return json::object();
  if (paper.is_number()) return {{first_metric, paper}};
  const bool numbers =
      paper.is_object() && std::all_of(paper.begin(), paper.end(), [](const json& v) { return v.is_number(); });
  if (!numbers) {
    throw UsageError("row '" + row + "': paper must be a number or numbers by metric, such as {fid = 5.28}, got " +
                     paper.dump());
  }
  const auto& words = evaluation::metric_words();
  for (const auto& [metric, value] : paper.items()) {
    if (value_of(words, metric) == nullptr) {
      throw UsageError("row '" + row + "': paper: no metric is called '" + metric + "'." +
                       did_you_mean(metric, names_of(words)));
    }
  }
  return paper;
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
  table.merge(layers.base, "the recipe");
  table.merge(layers.common.tables, "the axes");
  table.merge(layers.column.tables, "column '" + layers.column.name + "'");
  table.merge(layers.row.tables, "row '" + layers.row.name + "'");
  table.merge(layers.own.tables, "row '" + layers.row.name + "'");
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
std::vector<json> printed_each(const Entry& row, std::size_t count, const std::string& first_metric) {
  if (!row.paper.is_array()) {
    if (!row.paper.is_null() && count > 1) {
      throw UsageError("row '" + row.name + "' has " + std::to_string(count) +
                       " cells along its axes: paper must be a list of as many");
    }
    return std::vector<json>(count, printed(row.paper, row.name, first_metric));
  }
  if (row.paper.size() != count) {
    throw UsageError("row '" + row.name + "': paper lists " + std::to_string(row.paper.size()) + " numbers for " +
                     std::to_string(count) + " cells");
  }
  std::vector<json> each;
  for (const json& one : row.paper) each.push_back(printed(one, row.name, first_metric));
  return each;
}

/// The recipe's [evaluate], as far as there is one.
EvaluateConfig evaluate_settings(const json& recipe) {
  EvaluateConfig config;
  OptionTable table("evaluate", evaluate_options(config));
  if (recipe.contains("evaluate")) table.merge({{"evaluate", recipe["evaluate"]}}, "the recipe");
  return config;
}

std::string first_metric_of(const json& recipe) {
  const std::vector<evaluation::Metric> metrics = evaluate_settings(recipe).options.metrics;
  return sextant::word_of(evaluation::metric_words(), metrics.empty() ? evaluation::Metric::kFid : metrics.front());
}

void check_baseline(const std::vector<SweepRun>& runs, const SweepConfig& config) {
  if (config.baseline.empty()) return;
  std::vector<std::string> rows;
  for (const SweepRun& run : runs) rows.push_back(run.row);
  if (std::find(rows.begin(), rows.end(), config.baseline) != rows.end()) return;
  throw UsageError("baseline '" + config.baseline + "' is no row." + did_you_mean(config.baseline, rows));
}

}  // namespace

void tidy_recipe(json& recipe) {
  if (!recipe.contains("sweep")) recipe["sweep"] = json::object();
  json& sweep = recipe["sweep"];
  if (!sweep.is_object()) return;
  for (const char* key : {"axes", "evaluate"}) {
    if (!sweep.contains(key)) continue;
    if (recipe.contains(key)) throw UsageError(std::string("the recipe has ") + key + " twice, also in [sweep]");
    recipe[key] = sweep[key];
    sweep.erase(key);
  }
  if (recipe.contains("seeds")) {
    if (sweep.contains("seeds")) throw UsageError("the recipe has seeds twice, also in [sweep]");
    sweep["seeds"] = recipe["seeds"];
    recipe.erase("seeds");
  }
}

std::vector<SweepRun> sweep_runs(const json& recipe, const SweepConfig& config) {
  std::vector<Entry> rows = read_entries(recipe, "rows");
  std::vector<Entry> columns = read_entries(recipe, "columns");
  Layers layers{base_tables(recipe), {}, {}, {}, {}};
  std::vector<SettingAxis> common = named_axes(recipe.value("axes", json::object()));
  for (SettingAxis& axis : taken_axes(layers.base)) common.push_back(std::move(axis));
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
  const std::string first_metric = first_metric_of(recipe);
  std::vector<uint64_t> seeds = seeds_of(config);
  std::set<std::string> folders;
  std::vector<SweepRun> runs;
  for (const Entry& row : rows) {
    for (const std::string& skipped : row.skip) {
      if (!known.contains(skipped))
        throw UsageError("row '" + row.name + "' skips '" + skipped + "', which is no column");
    }
    layers.row = row;
    const std::vector<Combination> outer = combinations(without_fixed(without_fixed(common, row.tables), [&] {
      json lists = json::object();
      for (const SettingAxis& axis : row.axes) lists[axis.table][axis.key] = true;
      return lists;
    }()));
    const std::vector<Combination> inner = combinations(row.axes);
    constexpr std::size_t kMostRuns = 100'000;
    const std::size_t each = columns.size() * std::max<std::size_t>(1, seeds.size());
    if (runs.size() + outer.size() * inner.size() * each > kMostRuns) {
      throw UsageError("the recipe has more than " + std::to_string(kMostRuns) + " runs");
    }
    const std::vector<json> paper = printed_each(row, outer.size() * inner.size(), first_metric);
    for (std::size_t cell = 0; cell < paper.size(); ++cell) {
      layers.common = outer[cell / inner.size()];
      layers.own = inner[cell % inner.size()];
      const std::string name = joined_names({row.name, layers.common.name, layers.own.name});
      check_folder_name("rows", name);
      for (const Entry& column : columns) {
        if (row.skip.contains(column.name)) continue;
        layers.column = column;
        const std::string folder = name + (column.name.empty() ? "" : "-" + column.name);
        if (!folders.insert(folder).second) throw UsageError("two cells would be in the folder '" + folder + "'");
        SampleConfig sample = sample_config(layers, config);
        sample.run.out = config.run.out + "/" + folder;
        if (seeds.empty()) runs.push_back({name, column.name, paper[cell], sample});
        for (const uint64_t seed : seeds) {
          SampleConfig seeded = sample;
          seeded.sample.seed = seed;
          if (seeds.size() > 1) seeded.run.out += "/seed-" + std::to_string(seed);
          runs.push_back({name, column.name, paper[cell], seeded});
        }
      }
    }
  }
  check_baseline(runs, config);
  return runs;
}

std::optional<EvaluateConfig> sweep_evaluation(const json& recipe, const SweepConfig& config) {
  if (!recipe.contains("evaluate")) return std::nullopt;
  if (!config.judge.empty() || !config.reference.empty()) {
    throw UsageError("[evaluate] and a --judge or --reference of [sweep] say the same thing twice; keep [evaluate]");
  }
  EvaluateConfig evaluate = evaluate_settings(recipe);
  for (const auto& [set, name] :
       {std::pair{!evaluate.samples.empty(), "samples"}, std::pair{!evaluate.save_stats.empty(), "save-stats"},
        std::pair{!evaluate.run.out.empty(), "out"}}) {
    if (set) throw UsageError(std::string("[evaluate] ") + name + " is the sweep's own affair; leave it out");
  }
  if (evaluate.reference.empty()) throw UsageError("[evaluate] needs a reference: statistics (.npz) or images");
  if (config.device) evaluate.run.device = *config.device;
  evaluate.run.threads = config.run.threads;
  return evaluate;
}

}  // namespace sextant::commands
