#include <ATen/core/grad_mode.h>

#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score hellinger(const Tensor& f, const Tensor& y, const Divergence& divergence) {
  const at::NoGradGuard no_grad;
  const Target target("hellinger", f, y, divergence);
  const double alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor sqrt_p = (0.5 * log_p).exp();
  const Tensor sqrt_q = target.sqrt_q();
  const Tensor sqrt_qp = sqrt_q * sqrt_p;
  // The sum of squares, not 2 - 2 sum sqrt(qp), which cancels where p is close to q.
  return {-alpha * (sqrt_q - sqrt_p).square().sum(1),
          alpha * (sqrt_qp - log_p.exp() * sqrt_qp.sum(1, /*keepdim=*/true))};
}

}  // namespace sextant::guidance
