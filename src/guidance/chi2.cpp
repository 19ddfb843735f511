#include <ATen/core/grad_mode.h>

#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score chi2(const Tensor& f, const Tensor& y, const Divergence& divergence) {
  const at::NoGradGuard no_grad;
  const Target target("chi2", f, y, divergence);
  target.require_positive("chi2");
  const double alpha = divergence.alpha;
  const Tensor q = target.q();
  const Tensor p = at::softmax(f, 1);
  const Tensor excess = p / q - 1;
  const Tensor p_excess = p * excess;  // w = p f'(p/q) = 2 p (p/q - 1)
  // The sum of squares, not sum p^2/q - 1, which cancels where p is close to q.
  return {-alpha * (q * excess.square()).sum(1), -2 * alpha * (p_excess - p * p_excess.sum(1, /*keepdim=*/true))};
}

}  // namespace sextant::guidance
