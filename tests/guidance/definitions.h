// The scores as the papers define them, for autograd to differentiate: slow, plain, float64.
#pragma once

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "sextant/guidance/score.h"

namespace sextant::guidance::testing {

inline Tensor q_of(const Tensor& f, const Tensor& y, double epsilon) {
  return (1 - epsilon) / f.size(1) + epsilon * at::one_hot(y, f.size(1)).to(at::kDouble);
}

/// KL(a || b), 0 log 0 = 0.
inline Tensor kl(const Tensor& a, const Tensor& b) { return (at::xlogy(a, a) - at::xlogy(a, b)).sum(1); }

inline Tensor define_log_prob(const Tensor& f, const Tensor& y, Temperatures tau) {
  return tau.joint * f.gather(1, y.unsqueeze(1)).squeeze(1) - (tau.marginal * f).exp().sum(1).log();
}

inline Tensor define_entropy(const Tensor& f) {
  const Tensor p = at::softmax(f, 1);
  return -at::xlogy(p, p).sum(1);
}

inline Tensor define_reverse_kl(const Tensor& f, const Tensor& y, double epsilon) {
  return kl(q_of(f, y, epsilon), at::softmax(f, 1));
}

inline Tensor define_forward_kl(const Tensor& f, const Tensor& y, double epsilon) {
  return kl(at::softmax(f, 1), q_of(f, y, epsilon));
}

inline Tensor define_jensen_shannon(const Tensor& f, const Tensor& y, double epsilon) {
  const Tensor p = at::softmax(f, 1), q = q_of(f, y, epsilon), m = (p + q) / 2;
  return 0.5 * kl(q, m) + 0.5 * kl(p, m);
}

inline Tensor define_hellinger(const Tensor& f, const Tensor& y, double epsilon) {
  return (q_of(f, y, epsilon).sqrt() - at::softmax(f, 1).sqrt()).square().sum(1);
}

inline Tensor define_chi2(const Tensor& f, const Tensor& y, double epsilon) {
  const Tensor p = at::softmax(f, 1), q = q_of(f, y, epsilon);
  return ((p - q).square() / q).sum(1);
}

inline Tensor define_alpha_divergence(const Tensor& f, const Tensor& y, double epsilon, double a) {
  const Tensor p = at::softmax(f, 1), q = q_of(f, y, epsilon);
  return ((p.pow(a) * q.pow(1 - a)).sum(1) - 1) / (a * (a - 1));
}

/// A definition's value and its gradient by autograd.
inline Score differentiate(const std::function<Tensor(const Tensor& f)>& definition, const Tensor& f) {
  const at::AutoGradMode with_grad(true);
  const Tensor leaf = f.detach().clone().requires_grad_(true);
  const Tensor value = definition(leaf);
  return {value.detach(), torch::autograd::grad({value.sum()}, {leaf})[0]};
}

}  // namespace sextant::guidance::testing
