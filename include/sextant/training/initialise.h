// New weights.
#pragma once

#include <cstdint>
#include <string>

#include "sextant/networks/network.h"

namespace sextant::training {

/// Draws new weights as the networks' authors do: PyTorch's defaults (uniform within 1/sqrt(fan in)); normals of
/// variance 2/fan for the convolutions of ResNets; zeros for the last layers of ADM's blocks; norms start at 1 and 0.
/// UsageError for a family without a rule.
void initialise(networks::Network& network, const std::string& family, uint64_t seed);

}  // namespace sextant::training
