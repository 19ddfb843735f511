// The two Kullback-Leibler divergences, under the paper's names: p is the classifier, q the target.
#include "check.h"
#include "sextant/guidance/score.h"
#include "target.h"

namespace sextant::guidance {

Score reverse_kl(const Tensor& f, const Tensor& y, Divergence divergence) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("reverse_kl", f, y);
  check_divergence("reverse_kl", divergence);
  const double alpha = divergence.alpha;
  const Target target(f.size(1), divergence.epsilon);
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor kl = target.sum_q_log_q() - target.mean_under_q(log_p, y);
  return {-alpha * kl, alpha * (target.q(y, f) - log_p.exp())};
}

Score forward_kl(const Tensor& f, const Tensor& y, Divergence divergence) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("forward_kl", f, y);
  check_divergence("forward_kl", divergence);
  check_forward_kl("forward_kl", divergence.epsilon);
  const double alpha = divergence.alpha;
  const Target target(f.size(1), divergence.epsilon);
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor p = log_p.exp();
  const Tensor log_p_over_q = log_p - target.log_q(y, f);
  const Tensor kl = (p * log_p_over_q).sum(1, /*keepdim=*/true);
  // Cor. 2 prints a "+ 1" beside log(p/q); like that of Prop. 1 it cancels.
  return {-alpha * kl.squeeze(1), -alpha * p * (log_p_over_q - kl)};
}

}  // namespace sextant::guidance
