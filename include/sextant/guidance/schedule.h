// How strongly a guide pulls along the steps. Steps are respaced: index num_steps - 1 first (the noisiest), 0 last;
// UsageError for an index out of that range.
#pragma once

#include <cstdint>

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// What the running maximum of the sine schedule reads.
enum class GammaMax {
  kPerSample,  ///< each sample its own variance: images do not depend on their batch
  kElucd       ///< one pixel of the batch's first sample, as EluCD's code does
};

/// The share of max - min that lambda_t lies above min at step t of T, abar the step's alpha_cumprod. Javid et al. 2025
/// (F.2) say that it falls and not how.
enum class LambdaShape {
  kLinear,  ///< t/(T - 1)
  kCosine,  ///< (1 - cos(pi t/(T - 1)))/2: slow at both ends
  kNoise    ///< 1 - abar: the noise's share of the variance of x_t
};

/// lambda falling from `max` at the first (noisiest) step to `min` at step 0; by kNoise between what the first and the
/// last step's noise leave of that range. A lone step has `max`, but by kNoise what its noise says.
double entropy_weight(const Step& step, double max, double min, LambdaShape shape = LambdaShape::kLinear);

}  // namespace sextant::guidance
