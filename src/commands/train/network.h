// The network of a training, with its first weights.
#pragma once

#include "train/setup.h"

namespace sextant::commands {

/// Fills in setup.model, role, network and weights; notes what a user should know of them. UsageError and
/// CheckpointError for what does not fit.
void open_network(const TrainConfig& config, TrainTask task, TrainSetup& setup);

/// Classes that labels must stay below; 0 where the network has none.
int64_t classes_of(const networks::Network& network, const nlohmann::json& model);

/// Whether it is a noise-aware classifier.
bool uses_time(const networks::Network& network);

}  // namespace sextant::commands
