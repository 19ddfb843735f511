// Where every loop begins.
#pragma once

#include "sextant/samplers/samplers.h"

namespace sextant::samplers {

/// x_T of `run`, from its noise. UsageError "<sampler>: ..." names both shapes where that is not an image of the
/// denoiser's shape for each label: a convolutional network would take it, and draw images that it was not made for.
Tensor initial_noise(const char* sampler, const Run& run);

}  // namespace sextant::samplers
