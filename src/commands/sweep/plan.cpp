#include <algorithm>
#include <set>

#include "internal/commands/sweep.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"
#include "sweep/entries.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

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

void check_baseline(const std::vector<SweepRun>& runs, const SweepConfig& config) {
  if (config.baseline.empty()) return;
  std::vector<std::string> rows(runs.size());
  std::transform(runs.begin(), runs.end(), rows.begin(), [](const SweepRun& run) { return run.row; });
  if (std::find(rows.begin(), rows.end(), config.baseline) != rows.end()) return;
  throw UsageError("baseline '" + config.baseline + "' is no row." + did_you_mean(config.baseline, rows));
}

}  // namespace

std::vector<SweepRun> sweep_runs(const json& recipe, const SweepConfig& config) {
  std::vector<Entry> rows = read_entries(recipe, "rows", config.source);
  std::vector<Entry> columns = read_entries(recipe, "columns", config.source);
  Layers layers{base_tables(recipe), {}, {}, {}, {}};
  std::vector<SettingAxis> common = named_axes(recipe.value("axes", json::object()));
  for (SettingAxis& axis : taken_axes(layers.base)) common.push_back(std::move(axis));
  check_places(layers.base, config.source);
  if (rows.empty() && common.empty()) {
    throw UsageError(config.source +
                     " has no [[rows]] and no axes: nothing to run; a recipe of one run is for 'sextant sample'");
  }
  check_own_affairs(layers.base, config.source);
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
