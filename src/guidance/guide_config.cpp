// A guide's settings: what they may be.
#include <cmath>

#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

void require(bool holds, const char* setting, const char* expected, double got) {
  if (!holds) throw UsageError(c10::str("guide: expected ", setting, " ", expected, ", got ", got, "."));
}

}  // namespace

void check_config(const GuideConfig& config) {
  const auto finite = [](double value) { return std::isfinite(value); };
  require(finite(config.tilt), "tilt", "to be finite", config.tilt);
  require(config.tilt_group >= 0, "tilt-group", "of at least 0", static_cast<double>(config.tilt_group));
  require(finite(config.scale), "scale", "to be finite", config.scale);
  require(finite(config.gamma_factor) && config.gamma_factor >= 0, "gamma-factor", "of at least 0",
          config.gamma_factor);
  require(config.entropy_classes == 0 || config.entropy_classes >= 2, "entropy-classes", "of 2 or more, or 0",
          static_cast<double>(config.entropy_classes));
  const auto [low, high] = config.interval;
  require(low >= 0 && low <= 1, "guidance-interval", "to begin in [0, 1]", low);
  require(high >= low && high <= 1, "guidance-interval", "to end between its beginning and 1", high);
  require(config.backward_steps >= 0, "backward-steps", "of at least 0", static_cast<double>(config.backward_steps));
  require(finite(config.backward_lr) && config.backward_lr > 0, "backward-lr", "above 0", config.backward_lr);
  if (config.backward_steps > 0 && config.input == Input::kNoisy) {
    throw UsageError(
        "guide: backward steps climb the score at the predicted x0, which a noise-aware classifier does"
        " not read; use guidance-input x0 or jacobian, or leave backward-steps at 0.");
  }
}

}  // namespace sextant::guidance
