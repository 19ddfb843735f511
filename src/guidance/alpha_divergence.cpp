#include <ATen/core/grad_mode.h>

#include <cmath>

#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {
namespace {

/// base (e^z - 1), given product = base e^z as well: each is exact where the other cancels or overflows.
Tensor times_expm1(const Tensor& base, const Tensor& z, const Tensor& product) {
  return at::where(z.abs() < 1, base * z.clamp(-1, 1).expm1(), product - base);
}

}  // namespace

Score alpha_divergence(const Tensor& f, const Tensor& y, const Divergence& divergence, double order) {
  const at::NoGradGuard no_grad;
  kDivergenceOrder.check("alpha_divergence", "divergence-order", order);
  if (order == 0) return reverse_kl(f, y, divergence);
  if (order == 1) return forward_kl(f, y, divergence);
  const Target target("alpha_divergence", f, y, divergence);
  if (order > 1) target.require_positive("the alpha-divergence of order 1 and above");

  const double a = order, alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1), log_q = target.log_q();
  const Tensor p = log_p.exp(), q = target.q();
  const Tensor log_r = log_p - log_q;
  const Tensor u = (a * log_p + (1 - a) * log_q).exp();           // p^a q^(1-a)
  const Tensor w = times_expm1(p, (a - 1) * log_r, u) / (a - 1);  // p f'(p/q) = p ((p/q)^(a-1) - 1)/(a - 1)
  // sum u - 1 is sum u - p as well as sum u - q: near a = 1 the first keeps its digits, near 0 the second.
  const Tensor D = a < 0.5 ? times_expm1(q, a * log_r, u).sum(1) / (a * (a - 1)) : w.sum(1) / a;
  return {-alpha * D, -alpha * (w - p * w.sum(1, /*keepdim=*/true))};
}

}  // namespace sextant::guidance
