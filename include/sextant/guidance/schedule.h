// How strongly a guide pulls along the steps. Steps are respaced: index num_steps - 1 first (the noisiest), 0 last;
// UsageError for an index out of that range.
#pragma once

#include <cstdint>

namespace sextant::guidance {

/// What the running maximum of the sine schedule reads.
enum class GammaMax {
  kPerSample,  ///< each sample its own variance: images do not depend on their batch
  kElucd       ///< one pixel of the batch's first sample, as EluCD's code does
};

/// lambda falling linearly from `max` at the first (noisiest) step to `min` at step 0. Javid et al. 2025, F.2
double entropy_weight(int64_t step, int64_t num_steps, double max, double min);

}  // namespace sextant::guidance
