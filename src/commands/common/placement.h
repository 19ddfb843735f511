// Where the networks of a run compute.
#pragma once

#include "internal/commands/run.h"
#include "sextant/models/models.h"

namespace sextant::commands {

/// UsageError for a device that there is not, or a precision in which it does not compute.
models::Placement placement_of(const RunConfig& run);

}  // namespace sextant::commands
