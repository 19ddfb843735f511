#include "target.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "check.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

/// How far from 1 a sum of numbers of this type may be: half floats are rounded by more than 1e-5.
double sum_tolerance(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return 0x1p-10;
    case at::kBFloat16:
      return 0x1p-7;
    default:
      return 1e-5;
  }
}

/// A given distribution as [N, K] or [1, K], typed as f.
Tensor checked(const char* caller, const Tensor& target, const Tensor& f) {
  const bool for_all = target.sizes() == f.sizes().slice(1);
  if (!for_all && target.sizes() != f.sizes()) {
    throw ShapeError(c10::str(caller, ": expected a target distribution [", f.size(1), "] or [", f.size(0), ", ",
                              f.size(1), "], got ", target.sizes(), "."));
  }
  if (!target.is_floating_point()) {
    throw ShapeError(
        c10::str(caller, ": expected a floating-point target distribution, got ", target.scalar_type(), "."));
  }
  if (target.numel() == 0) return target.detach().to(f.options());  // of an empty batch
  Tensor exact = target.detach().to(at::kDouble);
  if (!at::isfinite(exact).all().item<bool>()) {
    throw UsageError(c10::str(caller, ": expected a finite target distribution, got NaN or infinity in it."));
  }
  if (const double least = exact.min().item<double>(); least < 0) {
    throw UsageError(c10::str(caller, ": expected a target distribution without negative numbers, got ", least, "."));
  }
  const Tensor sums = exact.sum(-1).flatten();
  const int64_t worst = (sums - 1).abs().argmax().item<int64_t>();
  if (const double sum = sums[worst].item<double>(); !(std::abs(sum - 1) <= sum_tolerance(target.scalar_type()))) {
    throw UsageError(c10::str(caller, ": expected a target distribution that sums to 1, got ", sum,
                              for_all ? "" : c10::str(" for sample ", worst), "."));
  }
  // What half floats lost would pull at every logit, also where p is q.
  if (target.element_size() < 4) exact = exact / exact.sum(-1, /*keepdim=*/true);
  const Tensor typed = exact.to(f.options());
  return for_all ? typed.unsqueeze(0) : typed;
}

}  // namespace

Target::Target(const char* caller, const Tensor& f, const Tensor& y, const Divergence& divergence)
    : caller_(caller), f_(f.detach()), y_(y), epsilon_(divergence.epsilon) {
  check_logits_and_labels(caller, f, y);
  check_divergence(caller, divergence);
  if (divergence.target.defined()) given_ = checked(caller, divergence.target, f);
  at_others_ = (1 - epsilon_) / static_cast<double>(f.size(1));
  at_y_ = at_others_ + epsilon_;
}

Tensor Target::q() const {
  if (given_.defined()) return given_;
  return map([](double q) { return q; });
}

Tensor Target::log_q() const {
  if (given_.defined()) return given_.log();
  return map([](double q) { return std::log(q); });
}

Tensor Target::sqrt_q() const {
  if (given_.defined()) return given_.sqrt();
  return map([](double q) { return std::sqrt(q); });
}

Tensor Target::mean(const Tensor& a) const {
  if (given_.defined()) return (given_ * a).sum(1);
  return (1 - epsilon_) * a.mean(1) + epsilon_ * a.gather(1, y_.unsqueeze(1)).squeeze(1);
}

Tensor Target::sum_q_log_q() const {
  if (given_.defined()) return at::xlogy(given_, given_).sum(1);
  const auto q_log_q = [](double q) { return q > 0 ? q * std::log(q) : 0.0; };
  const double sum = q_log_q(at_y_) + static_cast<double>(f_.size(1) - 1) * q_log_q(at_others_);
  return at::full({1}, sum, f_.options());
}

void Target::require_positive(const char* divergence) const {
  if (given_.defined() && !(given_ > 0).all().item<bool>()) {
    throw UsageError(c10::str(caller_, ": ", divergence, " is infinite where the target distribution is 0; give every",
                              " class a share of it, or choose rkl, js or hellinger."));
  }
  if (!given_.defined() && epsilon_ >= 1) {
    throw UsageError(c10::str(caller_, ": ", divergence, " is infinite at epsilon = 1, where q is one-hot;",
                              " choose epsilon below 1, or rkl, js or hellinger."));
  }
}

Tensor smoothed_target(const Tensor& y, const Tensor& like, double epsilon) {
  const at::NoGradGuard no_grad;
  return Target("smoothed_target", like, y, {.alpha = 0, .epsilon = epsilon}).q();
}

}  // namespace sextant::guidance
