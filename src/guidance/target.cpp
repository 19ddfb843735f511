#include "target.h"

#include <cmath>

#include "check.h"

namespace sextant::guidance {

Tensor Target::q(const Tensor& y, const Tensor& like) const {
  return map(y, like, [](double q) { return q; });
}

Tensor Target::log_q(const Tensor& y, const Tensor& like) const {
  return map(y, like, [](double q) { return std::log(q); });
}

Tensor Target::sqrt_q(const Tensor& y, const Tensor& like) const {
  return map(y, like, [](double q) { return std::sqrt(q); });
}

Tensor Target::mean_under_q(const Tensor& a, const Tensor& y) const {
  return (1 - epsilon) * a.mean(1) + epsilon * a.gather(1, y.unsqueeze(1)).squeeze(1);
}

double Target::sum_q_log_q() const {
  const auto q_log_q = [](double q) { return q > 0 ? q * std::log(q) : 0.0; };
  return q_log_q(at_y) + static_cast<double>(classes - 1) * q_log_q(at_others);
}

Tensor smoothed_target(const Tensor& y, const Tensor& like, double epsilon) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("smoothed_target", like, y);
  check_divergence("smoothed_target", {.alpha = 0, .epsilon = epsilon});
  return Target(like.size(1), epsilon).q(y, like);
}

}  // namespace sextant::guidance
