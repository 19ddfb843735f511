// A small classifier that these tests share.
#pragma once

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "sextant/classifiers/wrappers.h"
#include "support/golden.h"

namespace sextant::classifiers {

/// logits = W mean_hw(x), W [classes, C]: linear, so that everything about it is known.
inline guidance::Classifier means(const std::vector<double>& weight, int64_t classes, bool uses_time = false) {
  const Tensor W = at::tensor(weight, at::kDouble).reshape({classes, -1});
  return {[W](const Tensor& x) { return at::matmul(x.mean({2, 3}), W.to(x.scalar_type()).t()); }, classes, uses_time};
}

/// d/dx sum_n log p(y_n | x_n)
inline Tensor log_prob_gradient(const guidance::Classifier& classifier, const Tensor& x, const Tensor& y,
                                const Tensor& t = {}, const SampleIds& ids = {}) {
  const at::AutoGradMode with_grad(true);
  const Tensor leaf = x.detach().clone().requires_grad_();
  const Tensor log_p = at::log_softmax(classifier.logits(leaf, t, ids), 1).gather(1, y.unsqueeze(1)).sum();
  return torch::autograd::grad({log_p}, {leaf})[0];
}

}  // namespace sextant::classifiers
