// The table [classifier] of `sextant sample`.
#pragma once

#include "internal/commands/sample.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

/// Which classifier steers and what it sees; the rows point into `config`.
OptionGroup classifier_options(SampleConfig& config);

}  // namespace sextant::commands
