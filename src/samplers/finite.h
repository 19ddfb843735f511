// What every loop checks of its images.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::samplers {

/// Throws NumericError "<sampler>: ..." naming the step and the first image of x [N, ...] that is not finite.
void check_finite(const char* sampler, const Tensor& x, int64_t step);

}  // namespace sextant::samplers
