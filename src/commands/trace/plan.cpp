#include "internal/commands/sweep.h"
#include "internal/commands/trace.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

std::string method_name(const SweepRun& run) { return run.column.empty() ? run.row : run.row + ", " + run.column; }

/// What the images of all methods have in common.
void check_same_images(const TraceMethod& method, const SampleSettings& first) {
  const SampleSettings& own = method.config.sample;
  const char* other = own.count != first.count     ? "count"
                      : own.seed != first.seed     ? "seed"
                      : own.labels != first.labels ? "labels"
                                                   : nullptr;
  if (other == nullptr) return;
  throw UsageError(method.name + ": its " + other +
                   " differs from the first method's; a trace follows the same images, so leave it to [sample]");
}

}  // namespace

std::vector<TraceMethod> trace_methods(const TraceConfig& given) {
  TraceConfig config = given;
  std::vector<TraceMethod> methods;
  if (config.grid.empty()) {
    methods.push_back({guidance_of(config.method), config.method, {}});
  } else {
    json recipe = OptionTable("trace", sample_options(config.method)).to_json();
    for (const char* whole : {"out", "overwrite", "threads", "quiet"}) recipe["sample"].erase(whole);  // the trace's
    if (config.method.guidance.guidance.empty()) recipe["guidance"].erase("guidance");  // left to each method
    recipe.merge_patch(config.grid);
    if (recipe.contains("rows")) {
      for (json& row : recipe["rows"]) {
        if (row.is_object()) row.erase("paper");  // of numbers that a trace has not
      }
    }
    SweepConfig sweep;
    sweep.source = config.source;
    sweep.run.out = config.method.run.out;
    for (const SweepRun& run : sweep_runs(recipe, sweep)) {
      methods.push_back({method_name(run), run.config, run.varied});
      methods.back().config.run = config.method.run;
    }
  }
  for (const TraceMethod& method : methods) check_same_images(method, methods.front().config.sample);
  return methods;
}

}  // namespace sextant::commands
