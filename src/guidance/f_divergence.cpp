// f-divergences of any generator: Proposition 2, and Assumption 1 that it stands on.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "check.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "target.h"

namespace sextant::guidance {
namespace {

double number(const Generator::Function& g, double t) { return g(at::full({1}, t, at::kDouble)).item<double>(); }

/// f is convex and f' its derivative only if the slope of f between two points lies between f' at the two.
void check_convex(const Generator::Function& f, const Generator::Function& derivative) {
  constexpr int64_t kPoints = 321;
  const Tensor t = at::logspace(-10, 10, kPoints, /*base=*/2, at::kDouble);
  const Tensor below = t.narrow(0, 0, kPoints - 1), above = t.narrow(0, 1, kPoints - 1);
  const Tensor slope = (f(above) - f(below)) / (above - below);
  const Tensor from = derivative(below), to = derivative(above);
  const Tensor slack = 1e-9 * (1 + from.abs() + to.abs());
  // A steep generator overflows at large t, which is no fault of it.
  const Tensor overflows = f(above).isposinf().logical_or(to.isposinf()).logical_and(below >= 1);
  const Tensor right =
      (from <= slope + slack).logical_and(slope <= to + slack).logical_and(slack.isfinite()).logical_or(overflows);
  const Tensor wrong = right.logical_not();
  if (!wrong.any().item<bool>()) return;
  const int64_t i = wrong.to(at::kLong).argmax().item<int64_t>();
  const auto of = [i](const Tensor& values) { return values[i].item<double>(); };
  throw UsageError(c10::str("f_divergence: expected a convex generator and its derivative (Assumption 1), but between",
                            " t = ", of(below), " and ", of(above), " its slope is ", of(slope),
                            " and the derivative goes from ", of(from), " to ", of(to), "."));
}

}  // namespace

Generator::Generator(Function f, Function derivative) : f_(std::move(f)), derivative_(std::move(derivative)) {
  const at::NoGradGuard no_grad;
  if (!f_ || !derivative_) throw UsageError("f_divergence: expected a generator and its derivative, got none.");
  if (const double at_one = number(f_, 1); !(std::abs(at_one) <= 1e-9)) {
    throw UsageError(c10::str("f_divergence: expected a generator with f(1) = 0 (Assumption 1), got ", at_one, "."));
  }
  check_convex(f_, derivative_);
}

Score f_divergence(const Tensor& f, const Tensor& y, const Generator& generator, const Divergence& divergence) {
  const at::NoGradGuard no_grad;
  const Target target("f_divergence", f, y, divergence);
  target.require_positive("an f-divergence");
  const double alpha = divergence.alpha;
  const Tensor log_p = at::log_softmax(f, 1), q = target.q();
  const Tensor t = (log_p - target.log_q()).exp().clamp_min(smallest_normal(f));
  // q t is p, but for a p that underflows: q (t f'(t)) is then still the limit, such as the -q of f' = -1/t. With q t
  // first it is not: that lies below the normal numbers, which a processor may take for zero.
  const Tensor w = q * (t * generator.derivative(t));
  return {-alpha * (q * generator.f(t)).sum(1),                      // eq. (43)
          -alpha * (w - log_p.exp() * w.sum(1, /*keepdim=*/true))};  // eq. (8)
}

}  // namespace sextant::guidance
