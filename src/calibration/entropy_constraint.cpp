#include <ATen/core/grad_mode.h>

#include <cmath>

#include "check.h"
#include "sextant/calibration/calibration.h"

namespace sextant::calibration {

Loss entropy_constraint(const Tensor& f) {
  const at::NoGradGuard no_grad;
  check_logits("entropy_constraint", f);
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor p = log_p.exp();
  const Tensor H = -(p * log_p).sum(1, /*keepdim=*/true);
  return {std::log(static_cast<double>(f.size(1))) - H.mean(), p * (log_p + H) / static_cast<double>(f.size(0))};
}

}  // namespace sextant::calibration
