#include <ATen/core/grad_mode.h>

#include "check.h"
#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score jensen_shannon(const Tensor& f, const Tensor& y, const Divergence& divergence, JensenShannonForm form) {
  const at::NoGradGuard no_grad;
  const Target target("jensen_shannon", f, y, divergence);
  // Corollary 3 and Table 4 lack the 1/2 of eq. (14): they are the same divergence with twice the weight.
  const double alpha = form == JensenShannonForm::kPaper ? 2 * divergence.alpha : divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor p = log_p.exp();
  // m = (q + p)/2 is 0 only where q is 0 and p underflows; p log(p/m) is 0 there.
  const Tensor log_m = (0.5 * (target.q() + p)).clamp_min_(smallest_normal(f)).log_();
  const Tensor log_p_over_m = log_p - log_m;
  const Tensor kl_pm = (p * log_p_over_m).sum(1, /*keepdim=*/true);
  const Tensor kl_qm = target.sum_q_log_q() - target.mean(log_m);
  return {-alpha / 2 * (kl_qm + kl_pm.squeeze(1)),   // eq. (14)
          -alpha / 2 * p * (log_p_over_m - kl_pm)};  // eq. (66)
}

}  // namespace sextant::guidance
