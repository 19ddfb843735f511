// The runs of a sweep while it is under way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"
#include "sweep/judge.h"
#include "sweep/lines.h"

namespace sextant::commands {

/// One run of the grid while the sweep is under way.
struct Work {
  SweepRun run;
  std::string name;
  std::optional<ledger::Run> place;
  std::vector<ledger::Score> scores;
  std::optional<Scored> scored;  ///< of a run that this process scored
  bool done = false;
  std::string why;  ///< of a run that failed
};

std::vector<Work> works_of(const std::vector<SweepRun>& runs);

/// Reads the run's entry in the ledger anew, and adds it where it is not there: at the beginning, and when `sextant
/// runs
/// --prune` has forgotten it meanwhile. Whether it was added. Error for weights that are not there.
bool find_place(Work& work, ledger::Ledger& ledger);

/// A line for each row and column with a finished run, without its differences, and of each the runs.
std::vector<ResultLine> lines_of(std::vector<Work>& works, std::vector<std::vector<Work*>>& members);

/// Adds a line for each cell of which every run failed: its name and that, to the results also its seeds and why. Of a
/// sweep that came to its end.
void add_failed(report::Table& table, nlohmann::json& results, const std::vector<Work>& works);

/// What a sweep's run.json holds.
nlohmann::json sweep_record(const nlohmann::json& recipe, SweepConfig config, const SweepResult& result,
                            const nlohmann::json& results, const std::filesystem::path& ledger);

/// UsageError, naming the run, for settings that contradict each other; a note for what an axis varies without effect.
void check_settings(const std::vector<SweepRun>& runs, Progress& progress);

}  // namespace sextant::commands
