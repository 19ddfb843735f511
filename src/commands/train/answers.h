// The answers to attributes that a classifier of several heads is trained on.
#pragma once

#include "train/setup.h"

namespace sextant::commands {

/// Makes setup.model a classifier of config.attributes and gives setup.images their answers. UsageError and DataError
/// where names, heads, lines and images do not go together.
void open_answers(const TrainConfig& config, TrainSetup& setup, int64_t heads);

/// The answers of a validation set of its own.
void open_validation_answers(const TrainConfig& config, TrainSetup& setup);

}  // namespace sextant::commands
