// What every loop checks of its images.
#pragma once

#include "internal/runtime/finite.h"
#include "sextant/runtime/tensor.h"

namespace sextant::samplers {

/// Has `watch` throw NumericError "<sampler>: ..." naming the step and the first image of x [N, ...] that is not
/// finite.
void check_finite(FiniteWatch& watch, const char* sampler, const Tensor& x, int64_t step);

}  // namespace sextant::samplers
