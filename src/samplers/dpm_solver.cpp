// DPM-Solver++ (Lu et al. 2022b), multistep, as an ODE solver and as an SDE solver.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "finite.h"
#include "guided_x0.h"
#include "sextant/runtime/error.h"
#include "start.h"

namespace sextant::samplers {
namespace {

Tensor solve_dpm(const Run& run, int64_t order, bool stochastic) {
  if (order < 1 || order > 2) throw UsageError("dpmpp-2m: expected order 1 or 2, got " + std::to_string(order));
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = run.denoiser.process();
  const int64_t num_steps = process.num_steps();
  if (run.guide) run.guide->begin();

  Tensor x = initial_noise("dpmpp-2m", run);
  FiniteWatch watch(x.device());
  Tensor x0_before;  // the last step's prediction and the length of that step
  double h_before = 0;
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const Tensor x_t = x;
    const GuidedX0 p = predict_guided(run, watch, x_t, t);
    if (t == 0) {
      x = p.x0;  // the signal-to-noise ratio becomes infinite: every order ends at the prediction
    } else {
      const diffusion::NoiseLevel from = process.level(t);
      const diffusion::NoiseLevel to = process.level(t - 1);
      const double h = to.lambda() - from.lambda();
      // x0 at the middle of the step, extrapolated along the last one: eq. (4.3)
      Tensor middle = p.x0;
      if (order == 2 && x0_before.defined()) middle = at::add(p.x0, p.x0 - x0_before, h / (2 * h_before));
      const double decay = stochastic ? 2 * h : h;
      x = at::add(to.sigma / from.sigma * std::exp(h - decay) * x, middle, -to.alpha * std::expm1(-decay));
      if (stochastic) x = at::add(x, run.noise.at_step(t), to.sigma * std::sqrt(-std::expm1(-2 * h)));
      x0_before = p.x0;
      h_before = h;
    }
    check_finite(watch, "dpmpp-2m", x, t);
    if (run.observe) run.observe({t, num_steps, p.x0, x, p.get_guidance(), x_t});
    watch.end_step();
  }
  watch.finish();
  return x;
}

}  // namespace

Tensor sample_dpm_solver(const Run& run, const SamplerConfig& config) { return solve_dpm(run, config.order, false); }

Tensor sample_dpm_solver_sde(const Run& run, const SamplerConfig& config) { return solve_dpm(run, config.order, true); }

}  // namespace sextant::samplers
