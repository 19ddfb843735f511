// The target distribution q_y(i) = (1 - eps)/K + eps [i = y], eq. (76), takes two values: whatever is done to it is
// done to those two, in float64, and spread over [N, K] afterwards.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

struct Target {
  Target(int64_t classes, double epsilon)
      : classes(classes),
        epsilon(epsilon),
        at_others((1 - epsilon) / static_cast<double>(classes)),
        at_y(at_others + epsilon) {}

  int64_t classes;
  double epsilon;
  double at_others;  ///< q_y(i), i != y; 0 at epsilon = 1
  double at_y;

  /// g(q_y(i)) as [N, K], shaped and typed as `like`.
  template <typename Function>
  Tensor map(const Tensor& y, const Tensor& like, Function g) const {
    return at::full_like(like, g(at_others)).scatter_(1, y.unsqueeze(1), g(at_y));
  }
  Tensor q(const Tensor& y, const Tensor& like) const;
  Tensor log_q(const Tensor& y, const Tensor& like) const;  ///< -inf where q is 0
  Tensor sqrt_q(const Tensor& y, const Tensor& like) const;

  /// sum_i q_i a_i = (1 - eps) mean_i a_i + eps a_y of finite a [N, K]: [N]
  Tensor mean_under_q(const Tensor& a, const Tensor& y) const;

  /// sum_i q_i log q_i, with 0 log 0 = 0.
  double sum_q_log_q() const;
};

}  // namespace sextant::guidance
