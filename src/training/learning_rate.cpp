#include <algorithm>
#include <cmath>
#include <numbers>

#include "sextant/training/trainer.h"

namespace sextant::training {

double LearningRateSchedule::at(int64_t step) const {
  if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const auto left = static_cast<double>(std::max<int64_t>(1, steps - warmup));
  const double progress = std::min(1.0, static_cast<double>(step - warmup) / left);
  switch (decay) {
    case Decay::kConstant:
      break;
    case Decay::kLinear:
      return lr * (lr_final + (1 - lr_final) * (1 - progress));
    case Decay::kCosine:
      return lr * (lr_final + (1 - lr_final) * (1 + std::cos(std::numbers::pi * progress)) / 2);
  }
  return lr;
}

}  // namespace sextant::training
