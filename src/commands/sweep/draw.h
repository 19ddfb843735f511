// Draws the images of a run.
#pragma once

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"

namespace sextant::commands {

enum class Drawing {
  kThere,    ///< the images were there
  kDrawn,    ///< they are now
  kStopped,  ///< a stop was asked for
};

/// Whether the run has so many images.
bool drawn(const ledger::Run& run, int64_t count);

/// Sees that the run, of which this process holds the claim, has `config.sample.count` images. The ledger's entry
/// follows the work, also when it fails: then Error, which the entry keeps with what was noted.
Drawing draw_run(const SampleConfig& config, ledger::Run& run, ledger::Ledger& ledger, Progress& progress,
                 const Stop& stop);

}  // namespace sextant::commands
