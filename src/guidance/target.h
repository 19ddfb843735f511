// The target distribution of a divergence.
#pragma once

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// q for logits f [N, K]: the one that the divergence gives, or q_y(i) = (1 - eps)/K + eps [i = y], eq. (76). That one
/// takes two values: whatever is done to it is done to those two, in float64, and spread over [N, K] afterwards.
class Target {
 public:
  /// Checks logits, labels and divergence; errors name `caller`.
  Target(const char* caller, const Tensor& f, const Tensor& y, const Divergence& divergence);

  // [N, K], or [1, K] where a given q is all samples' own; dtype and device of f.
  Tensor q() const;
  Tensor log_q() const;  ///< -inf where q is 0
  Tensor sqrt_q() const;

  /// sum_i q_i a_i of finite a [N, K]: [N]
  Tensor mean(const Tensor& a) const;

  /// sum_i q_i log q_i, with 0 log 0 = 0: [N] or [1]
  Tensor sum_q_log_q() const;

  /// UsageError where q has a zero: `divergence`, such as "KL(p || q)", is infinite there.
  void require_positive(const char* divergence) const;

 private:
  template <typename Function>
  Tensor map(Function g) const {
    return at::full_like(f_, g(at_others_)).scatter_(1, y_.unsqueeze(1), g(at_y_));
  }

  const char* caller_;
  Tensor f_;
  Tensor y_;
  Tensor given_;  ///< [N, K] or [1, K]; undefined where q is q_y
  double epsilon_;
  double at_others_;  ///< q_y(i), i != y; 0 at epsilon = 1
  double at_y_;
};

}  // namespace sextant::guidance
