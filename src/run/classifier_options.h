// The table [classifier] of `sextant sample`.
#pragma once

#include "sextant/options.h"
#include "sextant/run.h"

namespace sextant::run {

/// Which classifier steers and what it sees; the rows point into `config`.
OptionGroup classifier_options(SampleConfig& config);

}  // namespace sextant::run
