// The random order in which published evaluators take their samples.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

/// numpy.random.RandomState(seed).permutation(count): [count] int64.
Tensor numpy_permutation(int64_t count, uint32_t seed);

}  // namespace sextant::metrics
