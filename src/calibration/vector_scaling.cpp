#include "check.h"
#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"

namespace sextant::calibration {
namespace {

/// Objective, gradient and Hessian in theta = (scale, shift) [2K].
struct Objective {
  const Tensor& f;     ///< [N, K]
  const Tensor& is_y;  ///< [N, K] one-hot labels
  double ridge;

  Tensor scaled(const Tensor& theta) const {
    const int64_t K = f.size(1);
    return f * theta.slice(0, 0, K) + theta.slice(0, K);
  }
  Tensor offset(const Tensor& theta) const {  // from the scaling that changes nothing
    const int64_t K = f.size(1);
    return at::cat({theta.slice(0, 0, K) - 1, theta.slice(0, K)});
  }
  double value(const Tensor& theta) const {
    const Tensor log_likelihood = (at::log_softmax(scaled(theta), 1) * is_y).sum(1).mean();
    return -log_likelihood.item<double>() + ridge / 2 * offset(theta).square().sum().item<double>();
  }
  Tensor gradient(const Tensor& p, const Tensor& theta) const {
    const Tensor residual = p - is_y;
    return at::cat({(residual * f).mean(0), residual.mean(0)}) + ridge * offset(theta);
  }
  /// mean over samples of J^T (diag(p) - p p^T) J, J = [diag(f), 1]
  Tensor hessian(const Tensor& p) const {
    const Tensor weighted = p * f;
    const Tensor rows = at::cat({weighted, p}, 1);
    const Tensor cross = at::diag(weighted.mean(0));
    const Tensor diagonal =
        at::cat({at::cat({at::diag((weighted * f).mean(0)), cross}, 1), at::cat({cross, at::diag(p.mean(0))}, 1)});
    const Tensor hessian = diagonal - rows.t().mm(rows) / static_cast<double>(f.size(0));
    return hessian + ridge * at::eye(rows.size(1), f.options());
  }
};

}  // namespace

Tensor VectorScaling::operator()(const Tensor& f) const { return f * scale.to(f.options()) + shift.to(f.options()); }

VectorScaling fit_vector_scaling(const Tensor& logits, const Tensor& labels, double ridge) {
  check_logits_and_labels("fit_vector_scaling", logits, labels);
  kRidge.check("fit_vector_scaling", "ridge", ridge);
  const Tensor f = logits.detach().to(at::kCPU, at::kDouble);
  const int64_t K = f.size(1);
  const Tensor is_y = at::one_hot(labels.to(at::kCPU), K).to(at::kDouble);
  const Objective objective{f, is_y, ridge};
  Tensor theta = at::cat({at::ones({K}, f.options()), at::zeros({K}, f.options())});
  double value = objective.value(theta);
  for (int step = 0; step < 100; ++step) {
    const Tensor p = at::softmax(objective.scaled(theta), 1);
    const Tensor gradient = objective.gradient(p, theta);
    const Tensor direction = at::linalg_solve(objective.hessian(p), gradient);
    const double decrease = gradient.dot(direction).item<double>();
    if (decrease <= 1e-16 * (1 + std::abs(value))) break;
    double length = 1;
    double next = objective.value(theta - direction);
    while (next > value - 1e-4 * length * decrease && length > 1e-9) {
      length /= 2;
      next = objective.value(theta - length * direction);
    }
    if (!(next < value)) break;
    theta = theta - length * direction;
    value = next;
  }
  return {theta.slice(0, 0, K).clone(), theta.slice(0, K).clone()};
}

}  // namespace sextant::calibration
