// Checks of arguments, with the caller's name in the message.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::calibration {

/// Throws ShapeError unless logits are finite [N >= 1, K >= 2] float32 or float64 and labels [N] int64 in [0, K).
void check_logits_and_labels(const char* caller, const Tensor& f, const Tensor& y);

/// Throws ShapeError unless logits are finite [N >= 1, K >= 2] float32 or float64.
void check_logits(const char* caller, const Tensor& f);

}  // namespace sextant::calibration
