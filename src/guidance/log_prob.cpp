#include <ATen/core/grad_mode.h>

#include "check.h"
#include "sextant/guidance/score.h"

namespace sextant::guidance {

Score log_prob(const Tensor& f, const Tensor& y, Temperatures tau) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("log_prob", f, y);
  check_temperatures("log_prob", tau);
  const Tensor index = y.unsqueeze(1);
  const Tensor f_y = f.gather(1, index).squeeze(1);
  const Tensor tau2_f = tau.marginal * f;
  // logsumexp, never log(sum(exp)): float32 exp overflows above 88.
  const Tensor value = tau.joint * f_y - at::logsumexp(tau2_f, 1);
  // tau1 [k = y] - tau2 p_tau2,k
  Tensor gradient = -tau.marginal * at::softmax(tau2_f, 1);
  gradient.scatter_add_(1, index, at::full_like(index, tau.joint, f.options()));
  return {value, gradient};
}

}  // namespace sextant::guidance
