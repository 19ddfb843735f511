// A grid of sample runs that ends in one table and one picture.
//
// A sweep's recipe holds the settings of all runs in the tables of `sextant sample`, then [[rows]] and, where wanted,
// [[columns]], each with a `name` and settings of its own in the same tables; row and column give one run, the row's
// settings winning. A row may `skip` columns by name.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/run.h"
#include "internal/commands/sample.h"
#include "internal/report/table.h"
#include "internal/runtime/options.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {

/// Settings of `sextant sweep` itself.
struct SweepConfig {
  std::string title;            ///< of the picture; "" is none
  std::string judge;            ///< feature network that reads the images: folder or file; "" judges nothing
  std::string reference;        ///< statistics of the judge's features, or images, for the Frechet distance; "" is none
  int64_t count = 0;            ///< images of every run; 0 is what the recipe says
  int64_t steps = 0;            ///< of every run; 0 is what the recipe says
  int64_t picture_images = 30;  ///< of each run in overview.png
  RunConfig run{.out = "out/sweep", .device = ""};  ///< of every run; a device of "" is what the recipe says
};

/// The table of `sextant sweep`; the rows point into `config`.
std::vector<OptionGroup> sweep_options(SweepConfig& config);

/// One run of the grid.
struct SweepRun {
  std::string row;
  std::string column;  ///< "" without columns
  SampleConfig config;
};

/// The runs of a recipe, row by row. UsageError, naming the row, for settings that `sextant sample` does not have.
std::vector<SweepRun> sweep_runs(const nlohmann::json& recipe, const SweepConfig& config);

struct SweepResult {
  report::Table table;   ///< a row for each finished run
  int64_t finished = 0;  ///< runs
  int64_t count = 0;     ///< runs of the recipe
};

/// Runs what is not finished in config.run.out/ROW[-COLUMN]/ and judges all: table.md, table.csv, overview.png,
/// run.json in config.run.out.
SweepResult run_sweep(const nlohmann::json& recipe, const SweepConfig& config, Progress& progress, const Stop& stop);

}  // namespace sextant::commands
