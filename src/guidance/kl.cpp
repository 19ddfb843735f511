// The two Kullback-Leibler divergences, under the paper's names: p is the classifier, q the target.
#include <ATen/core/grad_mode.h>

#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score reverse_kl(const Tensor& f, const Tensor& y, const Divergence& divergence) {
  const at::NoGradGuard no_grad;
  const Target target("reverse_kl", f, y, divergence);
  const double alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor kl = target.sum_q_log_q() - target.mean(log_p);
  return {-alpha * kl, alpha * (target.q() - log_p.exp())};
}

Score forward_kl(const Tensor& f, const Tensor& y, const Divergence& divergence) {
  const at::NoGradGuard no_grad;
  const Target target("forward_kl", f, y, divergence);
  target.require_positive("KL(p || q)");
  const double alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor p = log_p.exp();
  const Tensor log_p_over_q = log_p - target.log_q();
  const Tensor kl = (p * log_p_over_q).sum(1, /*keepdim=*/true);
  // Cor. 2 prints a "+ 1" beside log(p/q); like that of Prop. 1 it cancels.
  return {-alpha * kl.squeeze(1), -alpha * p * (log_p_over_q - kl)};
}

}  // namespace sextant::guidance
