// Checks and conversions of what EDM and EDM2 denoisers receive.
#pragma once

#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::networks::edm {

/// ShapeError unless x is [B, shape...] and sigma holds 1 or B numbers.
void check_input(const char* caller, const Tensor& x, const Tensor& sigma, const std::vector<int64_t>& shape);

/// Class rows [B or 1, K] of the given options from ids [B] or [1] (int64), rows [B or 1, K], or nothing (zeros [1,
/// K]); undefined when K is 0. ShapeError for other shapes or ids outside [0, K).
Tensor label_rows(const char* caller, const Tensor& labels, int64_t B, int64_t K, const at::TensorOptions& options);

}  // namespace sextant::networks::edm
