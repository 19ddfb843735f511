// The learning rate along the steps.
#pragma once

#include <cstdint>

namespace sextant::training {

/// Rises linearly over the first `warmup` steps, then falls to `final_share` of the peak at the last step.
struct LearningRateSchedule {
  enum class Decay { kConstant, kLinear, kCosine };
  double peak = 1e-3;
  int64_t warmup = 0;
  Decay decay = Decay::kConstant;
  double final_share = 0;
  int64_t total = 1;  ///< steps

  double at(int64_t step) const;  ///< step from 0
};

}  // namespace sextant::training
