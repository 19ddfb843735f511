#include <cmath>

#include "sextant/runtime/error.h"
#include "step.h"

namespace sextant::samplers {

Tensor sample_dpm_solver(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                         const Tensor& targets, Noise& noise, const DpmSolverConfig& config,
                         const StepObserver& observe) {
  if (config.order < 1 || config.order > 2) {
    throw UsageError("dpm-solver: expected order 1 or 2, got " + std::to_string(config.order));
  }
  const at::NoGradGuard no_grad;
  const int64_t num_steps = denoiser.process().num_steps();
  if (guide) guide->begin();

  Tensor x = noise.initial();
  Tensor x0_before;  // the last step's prediction and the length of that step
  double h_before = 0;
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const GuidedX0 p = predict_guided(denoiser, guide, x, t, labels, targets, noise.ids());
    if (t == 0) {
      x = p.x0;  // the signal-to-noise ratio becomes infinite: every order ends at the prediction
    } else {
      const Level from = level_of(denoiser.process(), t);
      const Level to = level_of(denoiser.process(), t - 1);
      const double h = to.lambda - from.lambda;
      // x0 at the middle of the step, extrapolated along the last one: eq. (4.3) of Lu et al. 2022b
      Tensor middle = p.x0;
      if (config.order == 2 && x0_before.defined()) middle = at::add(p.x0, p.x0 - x0_before, h / (2 * h_before));
      const double decay = config.stochastic ? 2 * h : h;
      x = at::add(to.sigma / from.sigma * std::exp(h - decay) * x, middle, -to.alpha * std::expm1(-decay));
      if (config.stochastic) x = at::add(x, noise.at_step(t), to.sigma * std::sqrt(-std::expm1(-2 * h)));
      x0_before = p.x0;
      h_before = h;
    }
    check_finite("dpm-solver", x, t);
    if (observe) observe({t, num_steps, p.x0, x, p.get_guidance()});
  }
  return x;
}

}  // namespace sextant::samplers
