// CUDA graphs.
#pragma once

#include "internal/runtime/replay.h"

namespace sextant::cuda {

/// Records what is launched on a card. One for each card, for the whole process.
Recorder* graphs_on(at::Device device);

}  // namespace sextant::cuda
