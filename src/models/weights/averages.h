// Moving averages that are not saved under the parameters' names.
#pragma once

#include "sextant/networks/network.h"
#include "weights/groups.h"

namespace sextant::models {

/// Those of a file as groups, named by the weights that fit, else by the network: lists in the order of the parameters,
/// and names without dots. A parameter that they lack, and running statistics, are those of the weights.
std::vector<Group> unnamed_averages(const networks::Network& network, const checkpoint::Checkpoint& file,
                                    const std::vector<Group>& weights);

}  // namespace sextant::models
