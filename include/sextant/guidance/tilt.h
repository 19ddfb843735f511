// Tilt: samples of a batch weigh more or less by their scores. Pure functions, callable from any thread; ShapeError
// unless scores are floating point [N], N > 0; UsageError unless `tilt` is finite. Equation numbers are those of Javid
// et al. 2025 (arXiv 2511.05844).
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

enum class TiltForm {
  kMeanPreserving,  ///< N w_i: the weights average to 1, so t = 0 is plain guidance
  kSumToOne,        ///< w_i as printed
};

/// Weight of each sample of the batch, w = softmax(t S) (times N): [N]       eqs. (15), (36)-(42)
Tensor tilt_weights(const Tensor& scores, double tilt, TiltForm form = TiltForm::kMeanPreserving);

/// (1/t) log mean exp(t S): [1]; the mean at t = 0             eq. (36)
Tensor tilted_score(const Tensor& scores, double tilt);

}  // namespace sextant::guidance
