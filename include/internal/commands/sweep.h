// A grid of sample runs that ends in tables and a picture.
//
// A sweep's recipe holds the settings of all runs in the tables of `sextant sample`, and what varies: [[rows]] and,
// where wanted, [[columns]], each with a `name` and settings of its own in the same tables, the row's settings winning;
// [axes], a list of values for a setting, of which every row gets all combinations; and seeds. A list in place of a
// single number or word is an axis, too, of all rows or of the row that it stands in. A row may `skip` columns by name
// and say what a paper printed: `paper = 5.28`, `paper = {fid = 5.28, recall = 0.68}`, or a list of these, one for each
// combination of its axes. [evaluate], a table of `sextant evaluate`, says how every cell is scored.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "internal/commands/evaluate.h"
#include "internal/commands/format.h"
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
  std::string seeds;            ///< "0,1,2"; "" is the recipe's one seed
  std::string baseline;         ///< row that the others are compared with; "" is the first
  std::string ledger;           ///< SQLite file; "" is ledger.sqlite in the folder
  int64_t count = 0;            ///< images of every run; 0 is what the recipe says
  int64_t steps = 0;            ///< of every run; 0 is what the recipe says
  int64_t picture_images = 30;  ///< of each run in overview.png
  bool dry_run = false;         ///< only says what would be done
  Format format = Format::kTable;      ///< of what is printed
  std::optional<DeviceChoice> device;  ///< of every run; none is what the recipe says
  RunConfig run{.out = "out/sweep"};   ///< of every run, but for its device
  std::string source = "the recipe";   ///< the recipe's file, for errors
};

/// The table of `sextant sweep`; the rows point into `config`.
std::vector<OptionGroup> sweep_options(SweepConfig& config);

/// Moves what a recipe may write at its top or in [sweep], as it likes, to one place: "axes" and "evaluate" to the top,
/// "seeds" into [sweep]. UsageError, which begins with `source`, for what is written twice.
void tidy_recipe(nlohmann::json& recipe, const std::string& source = "the recipe");

/// UsageError, which says where it belongs, for a table or a key that no sweep's recipe has there. `tables` is of a
/// tidy recipe, without rows, columns and axes.
void check_places(const nlohmann::json& tables, const std::string& source);

/// One run of the grid.
struct SweepRun {
  std::string row;       ///< with the values of its axes
  std::string column;    ///< "" without columns
  nlohmann::json paper;  ///< {"metric": number} as printed
  SampleConfig config;
  std::vector<std::string> varied;  ///< settings that an axis gives several values: "alpha"
};

/// The runs of a tidy recipe, row by row, seed by seed. UsageError, naming the row, for settings that `sextant sample`
/// does not have.
std::vector<SweepRun> sweep_runs(const nlohmann::json& recipe, const SweepConfig& config);

/// The settings of [evaluate], without samples; nothing where the recipe has no such table.
std::optional<EvaluateConfig> sweep_evaluation(const nlohmann::json& recipe, const SweepConfig& config);

/// A cell that could not be had.
struct SweepFailure {
  std::string cell;
  std::string why;
};

struct SweepResult {
  report::Table table;     ///< a row for each row and column with a finished run
  nlohmann::json results;  ///< the same with every number, and {"row", "column", "seeds", "failed"} of failed cells
  int64_t finished = 0;    ///< runs
  int64_t drawn = 0;       ///< runs for which this call drew images
  int64_t count = 0;       ///< runs of the recipe
  bool compared = true;    ///< false where a stop came before all differences were there
  std::vector<SweepFailure> failures;
  bool complete() const { return finished == count && compared; }
};

/// "2 of 7 runs failed", and of the first why; "" where none did.
std::string failure_of(const SweepResult& result);

/// Draws what is in neither the ledger nor config.run.out/ROW[-COLUMN][/seed-N]/, scores it and compares it: table.md,
/// table.csv, table.tex, overview.png and run.json in config.run.out, every number in the ledger. A run that fails is
/// marked there and the others go on. Another sweep may work on the same ledger at the same time; what it is drawing is
/// waited for.
SweepResult run_sweep(const nlohmann::json& recipe, const SweepConfig& config, Progress& progress, const Stop& stop);

/// SweepResult::results as a table for programs: a number a cell, unrounded, and every name once: row, column, seeds
/// (how many), images, of each metric METRIC_mean, _spread, _low, _high, _paper, _difference, _difference_low and
/// _difference_high, then seconds_per_image, gradient_norm, baseline, failed.
report::Table results_csv(const nlohmann::json& results);

struct SweepPlan {
  report::Table table;
  report::Table csv;       ///< the same for programs
  nlohmann::json numbers;  ///< likewise, unrounded, in seconds and bytes
};

/// The runs with what they would take: seconds, memory, disk by measured steps where the model is there, and what is
/// missing where it is not.
SweepPlan plan_sweep(const nlohmann::json& recipe, const SweepConfig& config, Progress& progress);

}  // namespace sextant::commands
