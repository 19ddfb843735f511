// Settings that the kind of network or of training leaves without effect.
#pragma once

#include <string>
#include <vector>

#include "train/setup.h"

namespace sextant::commands {

/// "--loss has no effect on a classifier" for each setting other than its default that has no part in this training.
std::vector<std::string> settings_without_effect(const TrainConfig& config, TrainTask task, const TrainSetup& setup);

}  // namespace sextant::commands
