// What a ledger holds, to list, filter, compare, export and prune.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "internal/commands/format.h"
#include "internal/ledger/ledger.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

/// What `sextant runs` forgets.
enum class Prune {
  kNothing,
  kFailed,  ///< runs that failed
  kGone,    ///< runs whose images are no longer there
  kUnused,  ///< runs that no sweep's cell stands on
};

/// Settings of `sextant runs`.
struct RunsConfig {
  std::string where;    ///< "state=done,guidance.guidance=js": all must hold; "" takes every run
  std::string compare;  ///< "3,7": two runs side by side; "" lists
  std::string to;       ///< .json or .csv file for the runs listed; "" writes none
  Prune prune = Prune::kNothing;
  Format format = Format::kTable;
};

/// The table of `sextant runs`; the rows point into `config`.
std::vector<OptionGroup> runs_options(RunsConfig& config);

struct RunsResult {
  report::Table table;
  report::Table csv;               ///< the same for programs, and every setting; of a comparison `table`
  nlohmann::json numbers;          ///< the same with every setting and score
  std::vector<std::string> notes;  ///< what was written or forgotten
};

/// `ledger` is the file, or the folder of a sweep that has ledger.sqlite. UsageError where there is none, for a key of
/// --where that no run has, with the nearest, and for a run to compare that is not there.
RunsResult run_runs(const std::filesystem::path& ledger, const RunsConfig& config);

}  // namespace sextant::commands
