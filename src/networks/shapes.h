// Hyper-parameters read off the shapes of a state dict.
#pragma once

#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::networks {

/// Size `dim` of a tensor, 0 where there is none.
int64_t size_of(const checkpoint::StateDict& weights, const std::string& name, int64_t dim);

/// Blocks of each of the stages "layer1", "layer2", ... of a ResNet.
std::vector<int64_t> blocks_of_stages(const checkpoint::StateDict& weights);

}  // namespace sextant::networks
