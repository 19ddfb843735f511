// The learning rate along the steps.
#pragma once

#include <cstdint>

#include "sextant/runtime/range.h"

namespace sextant::training {

/// Rises linearly over the first `warmup` steps, then falls to `lr_final` of the largest at the last step.
struct LearningRateSchedule {
  enum class Decay { kConstant, kLinear, kCosine };
  double lr = 1e-3;  ///< the largest
  static constexpr Range kLr{0, 10, true};
  int64_t warmup = 0;
  static constexpr Range kWarmup{0, 1e9};
  Decay decay = Decay::kCosine;
  double lr_final = 0;  ///< as a share of `lr`
  static constexpr Range kLrFinal{0, 1};
  int64_t steps = 1;  ///< of the training

  double at(int64_t step) const;  ///< step from 0
};

}  // namespace sextant::training
