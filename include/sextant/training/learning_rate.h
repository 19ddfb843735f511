// The learning rate along the steps.
#pragma once

#include <cstdint>

namespace sextant::training {

/// Rises linearly over the first `warmup` steps, then falls to `lr_final` of the largest at the last step.
struct LearningRateSchedule {
  enum class Decay { kConstant, kLinear, kCosine };
  double lr = 1e-3;  ///< the largest
  int64_t warmup = 0;
  Decay decay = Decay::kCosine;
  double lr_final = 0;  ///< as a share of `lr`
  int64_t steps = 1;    ///< of the training

  double at(int64_t step) const;  ///< step from 0
};

}  // namespace sextant::training
