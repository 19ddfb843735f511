// The entropy constraint: what keeps a noise-aware classifier from being sure of noise (Zheng et al. 2022).
#pragma once

#include "sextant/calibration/smooth_ece.h"

namespace sextant::calibration {

/// Mean of log K - H(p) = KL(p || uniform), p = softmax(f); f as in smooth_ece.h. Its gradient is p_k (log p_k + H)/N,
/// 0 for a classifier that prefers nothing.
Loss entropy_constraint(const Tensor& f);

}  // namespace sextant::calibration
