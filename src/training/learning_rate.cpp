#include "sextant/training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sextant::training {

double LearningRateSchedule::at(int64_t step) const {
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const auto left = static_cast<double>(std::max<int64_t>(1, total - warmup));
  const double progress = std::min(1.0, static_cast<double>(step - warmup) / left);
  switch (decay) {
    case Decay::kConstant:
      break;
    case Decay::kLinear:
      return peak * (final_share + (1 - final_share) * (1 - progress));
    case Decay::kCosine:
      return peak * (final_share + (1 - final_share) * (1 + std::cos(std::numbers::pi * progress)) / 2);
  }
  return peak;
}

}  // namespace sextant::training
