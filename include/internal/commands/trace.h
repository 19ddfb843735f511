// What methods of guidance do along the steps, on the same images: curves, maps and every number.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/sample.h"
#include "internal/report/table.h"
#include "internal/runtime/options.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {

/// Settings of `sextant trace`.
struct TraceConfig {
  TraceConfig() {
    method.sample.count = method.sample.batch = 64;
    method.run.out = "out/trace";
  }

  SampleConfig method;  ///< what every one starts from
  /// A recipe's [[rows]], [[columns]] and [axes], as a sweep's, and the lists in its other tables: each run of the grid
  /// is a method. Where it is empty there is one method, `method`.
  nlohmann::json grid = nlohmann::json::object();
  std::string source = "the recipe";  ///< the recipe's file, for errors
  std::size_t seeds = 0;        ///< that the recipe names for a sweep; a trace follows the first, as method.sample.seed
  std::string samples = "0,1";  ///< images shown in maps.png: indices and ranges below count
  std::string at;               ///< steps shown there, respaced indices; "" is five from first to last
};

/// The table of `sextant trace`; the rows point into `config`.
std::vector<OptionGroup> trace_options(TraceConfig& config);

/// Moves the grid of a recipe, which may be a sweep's, into config.grid, and its first seed to [sample]; what the sweep
/// itself is to do is not for a trace and goes. `source` names the file in errors.
void take_methods(nlohmann::json& recipe, TraceConfig& config, const std::string& source = "the recipe");

struct TraceMethod {
  std::string name;
  SampleConfig config;
  std::vector<std::string> varied;  ///< settings that an axis gives several values
};

/// The methods of a trace, in the recipe's order. UsageError, naming the method, for settings that `sextant sample`
/// does not have, and where two methods would draw other images (count, seed, labels).
std::vector<TraceMethod> trace_methods(const TraceConfig& config);

struct TraceResult {
  bool complete = false;  ///< false after a stop
  report::Table table;    ///< a row for each method
};

/// Draws with each method and writes into config.method.run.out: confidence, gradient-norm, entropy and vanished, each
/// .svg and .png, over the steps, a line a method; maps.png, what the chosen images and the guide's gradient look like
/// at the chosen steps; trace.json, the settings and every number per image and step. A method without guidance whose
/// settings name a classifier is watched by it. Without cairo only trace.json.
TraceResult run_trace(const TraceConfig& config, Progress& progress, const Stop& stop);

}  // namespace sextant::commands
