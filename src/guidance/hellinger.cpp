#include "check.h"
#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score hellinger(const Tensor& f, const Tensor& y, Divergence divergence) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("hellinger", f, y);
  check_divergence("hellinger", divergence);
  const double alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor sqrt_p = (0.5 * log_p).exp();
  const Tensor sqrt_q = Target(f.size(1), divergence.epsilon).sqrt_q(y, f);
  const Tensor sqrt_qp = sqrt_q * sqrt_p;
  // The sum of squares, not 2 - 2 sum sqrt(qp), which cancels where p is close to q.
  return {-alpha * (sqrt_q - sqrt_p).square().sum(1),
          alpha * (sqrt_qp - log_p.exp() * sqrt_qp.sum(1, /*keepdim=*/true))};
}

}  // namespace sextant::guidance
