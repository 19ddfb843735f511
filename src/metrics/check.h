// Checks of arguments, with the caller's name in the message.
#pragma once

#include <string>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

/// Features or logits as contiguous CPU float64 [N, D]. Throws ShapeError unless [N >= 1, D >= 1] of float32 or
/// float64, and NumericError with the first row that is not finite. `what` names them: "precision_recall: reference
/// features".
Tensor checked_rows(const std::string& what, const Tensor& rows);

/// Likewise, in the dtype that they have.
Tensor checked_rows_as_given(const std::string& what, const Tensor& rows);

/// Indices into `count` rows, of any shape, as int64 on the CPU. Throws ShapeError unless they are integers and
/// UsageError for one outside of [0, count).
Tensor checked_indices(const std::string& what, const Tensor& indices, int64_t count);

/// Throws ShapeError unless both have the same number of columns.
void check_same_width(const char* caller, const Tensor& a, const Tensor& b);

}  // namespace sextant::metrics
