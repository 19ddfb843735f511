// The tables of a sweep's recipe that are no settings of a run.
#include "internal/commands/sweep.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

void tidy_recipe(json& recipe, const std::string& source) {
  if (!recipe.contains("sweep")) recipe["sweep"] = json::object();
  json& sweep = recipe["sweep"];
  if (!sweep.is_object()) return;
  for (const char* key : {"axes", "evaluate"}) {
    if (!sweep.contains(key)) continue;
    if (recipe.contains(key)) throw UsageError(source + " has " + key + " twice, also in [sweep]");
    recipe[key] = sweep[key];
    sweep.erase(key);
  }
  if (recipe.contains("seeds")) {
    if (sweep.contains("seeds")) throw UsageError(source + " has seeds twice, also in [sweep]");
    sweep["seeds"] = recipe["seeds"];
    recipe.erase("seeds");
  }
}

void check_places(const json& tables, const std::string& source) {
  SampleConfig sample;
  SweepConfig sweep;
  EvaluateConfig evaluate;
  std::vector<OptionGroup> groups = sample_options(sample);
  for (OptionGroup& group : sweep_options(sweep)) groups.push_back(std::move(group));
  for (OptionGroup& group : evaluate_options(evaluate)) {
    if (group.name == "evaluate") groups.push_back(std::move(group));
  }
  for (const char* own : {"axes", "[rows]", "[columns]"}) groups.push_back({own, "", {}});
  OptionTable("sweep", std::move(groups)).merge(tables, source);
}

std::optional<EvaluateConfig> sweep_evaluation(const json& recipe, const SweepConfig& config) {
  if (!recipe.contains("evaluate")) return std::nullopt;
  if (!config.judge.empty() || !config.reference.empty()) {
    throw UsageError("[evaluate] and a --judge or --reference of [sweep] say the same thing twice; keep [evaluate]");
  }
  EvaluateConfig evaluate;
  OptionTable("evaluate", evaluate_options(evaluate)).merge({{"evaluate", recipe["evaluate"]}}, config.source);
  for (const auto& [set, name] :
       {std::pair{!evaluate.samples.empty(), "samples"}, std::pair{!evaluate.save_stats.empty(), "save-stats"},
        std::pair{!evaluate.run.out.empty(), "out"}, std::pair{evaluate.format != Format::kTable, "format"},
        std::pair{evaluate.run.threads != 0, "threads"}, std::pair{evaluate.run.quiet, "quiet"}}) {
    if (set) throw UsageError(std::string("[evaluate] ") + name + " is the sweep's own affair; leave it out");
  }
  if (evaluate.reference.empty() && needs_reference(evaluate.options.metrics)) {
    throw UsageError(
        "[evaluate] needs a reference: statistics (.npz) or images; or metrics of is, accuracy and ece alone");
  }
  if (config.device) evaluate.run.device = *config.device;
  evaluate.run.threads = config.run.threads;
  return evaluate;
}

}  // namespace sextant::commands
