// A guide's settings: what they may be.
#include <c10/util/StringUtil.h>

#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {

void check_config(const GuideConfig& config) {
  const auto check = [](const char* setting, const Range& range, auto value) {
    range.check("guide", setting, static_cast<double>(value));
  };
  check("tilt", config.kTilt, config.tilt);
  check("tilt-group", config.kTiltGroup, config.tilt_group);
  check("scale", config.kScale, config.scale);
  check("gamma-factor", config.kGammaFactor, config.gamma_factor);
  if (config.entropy_classes < 0 || config.entropy_classes == 1) {
    throw UsageError(c10::str("guide: entropy-classes must be 2 or more, or 0, got ", config.entropy_classes));
  }
  check("the beginning of guidance-interval", config.kInterval, config.interval.low);
  check("the end of guidance-interval", Range{config.interval.low, config.kInterval.high}, config.interval.high);
  check("backward-steps", config.kBackwardSteps, config.backward_steps);
  check("backward-lr", config.kBackwardLr, config.backward_lr);
  if (config.backward_steps > 0 && config.input == Input::kNoisy) {
    throw UsageError(
        "guide: backward steps climb the score at the predicted x0, which a noise-aware classifier does"
        " not read; use guidance-input x0 or jacobian, or leave backward-steps at 0.");
  }
}

}  // namespace sextant::guidance
