// The Smooth ECE: a calibration error that a classifier can be trained with.
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

/// A loss and its closed-form gradient, in the dtype and on the device of f.
struct Loss {
  Tensor value;     ///< []
  Tensor gradient;  ///< dL/df [N, K]
};

inline constexpr Range kSmoothEceBeta{0, 1, true};

/// Smooth ECE (Javid et al. 2025, eq. 1): mean of sqrt(r^2 + beta), r = confidence - correct. The correctness is a
/// constant and the gradient flows through the largest probability, at ties the first. Its bins cancel: each sample
/// lies in one.
///   dL/df_k = (1/N) r / sqrt(r^2 + beta) conf ([k = prediction] - p_k)
/// Its floor is sqrt(beta); it is not zero for a calibrated classifier. UsageError for a beta out of kSmoothEceBeta.
Loss smooth_ece(const Tensor& f, const Tensor& y, double beta = 1e-4);

/// Mean cross entropy + lambda smooth_ece: what a classifier is fine-tuned with (Algorithm 2).
Loss cross_entropy_with_smooth_ece(const Tensor& f, const Tensor& y, double lambda = 1, double beta = 1e-4);

}  // namespace sextant::calibration
