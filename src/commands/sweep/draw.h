// Draws the images of a run, in one process at a time.
#pragma once

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"

namespace sextant::commands {

enum class Drawing {
  kThere,      ///< the images were there
  kDrawn,      ///< they are now
  kStopped,    ///< a stop was asked for
  kElsewhere,  ///< another process draws them
};

/// Sees that the run has `config.sample.count` images. The ledger's entry follows the work, also when it fails: then
/// Error, which the entry keeps with what was noted.
Drawing draw_run(const SampleConfig& config, ledger::Run& run, ledger::Ledger& ledger, Progress& progress,
                 const Stop& stop);

}  // namespace sextant::commands
