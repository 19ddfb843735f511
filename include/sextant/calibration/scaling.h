// What repairs a trained classifier's confidences: its logits scaled.
//
//   f   logits  [N, K], N >= 1, K >= 2, float32 or float64, any device
//   y   labels  [N], int64 in [0, K), on f's device
//
// Pure functions: no state, no randomness, arguments untouched, callable from any thread. All throw ShapeError for
// wrong shapes and labels and NumericError for NaN or infinity.
#pragma once

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::calibration {

/// The temperature T > 0 whose f / T has the least negative log likelihood (Guo et al. 2017), to a relative 1e-10.
/// Throws NumericError where there is none: every prediction right (T -> 0), or worse than chance (T -> infinity).
double fit_temperature(const Tensor& f, const Tensor& y);

/// Vector scaling: f_k -> scale_k f_k + shift_k.
struct VectorScaling {
  Tensor scale;  ///< [K] float64
  Tensor shift;  ///< [K] float64
  /// In the dtype and on the device of f.
  Tensor operator()(const Tensor& f) const;
};

inline constexpr Range kRidge{0, 1e3, true};

/// The scaling of least negative log likelihood + ridge/2 (|scale - 1|^2 + |shift|^2), by Newton's method. A ridge
/// above 0 makes the optimum finite and unique. Memory is (2K)^2 numbers. UsageError for a ridge out of kRidge.
VectorScaling fit_vector_scaling(const Tensor& f, const Tensor& y, double ridge = 1e-3);

}  // namespace sextant::calibration
