// The runs of a sweep while it is under way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"
#include "sweep/judge.h"

namespace sextant::commands {

/// One run of the grid while the sweep is under way.
struct Work {
  SweepRun run;
  std::string name;
  std::optional<ledger::Run> place;
  std::vector<ledger::Score> scores;
  std::optional<Scored> scored;  ///< of a run that this process scored
  bool done = false;
};

std::vector<Work> works_of(const std::vector<SweepRun>& runs);

/// Adds a line for each cell of which every run failed: its name and that. Of a sweep that came to its end.
void add_failed(report::Table& table, const std::vector<Work>& works);

/// UsageError, naming the run, for settings that contradict each other.
void check_settings(const std::vector<SweepRun>& runs);

}  // namespace sextant::commands
