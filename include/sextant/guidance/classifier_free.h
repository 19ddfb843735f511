// Classifier-free guidance, and every guidance that mixes two predictions.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

/// u + s (c - u) of a conditional and an unconditional prediction of one shape; s = 1 is exactly the conditional one.
/// Ho & Salimans 2021. ShapeError for two shapes, UsageError unless the scale is finite.
Tensor classifier_free(const Tensor& conditional, const Tensor& unconditional, double scale);

}  // namespace sextant::guidance
