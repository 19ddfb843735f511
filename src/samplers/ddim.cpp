// Denoising diffusion implicit models (Song et al. 2021).
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "finite.h"
#include "guided_x0.h"
#include "start.h"
#include "time_travel.h"

namespace sextant::samplers {

Tensor sample_ddim(const Run& run, const SamplerConfig& config) {
  const double eta = config.eta;
  SamplerConfig::kEta.check("ddim", "eta", eta);
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = run.denoiser.process();
  const int64_t num_steps = process.num_steps();
  const TimeTravel travel("ddim", run, config.recurrence);
  if (run.guide) run.guide->begin();

  Tensor x = initial_noise("ddim", run);
  FiniteWatch watch(x.device());
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const double abar = process.abar(t);
    const double abar_prev = process.abar_prev(t);
    const double sigma = eta * std::sqrt((1 - abar_prev) / (1 - abar)) * std::sqrt(1 - abar / abar_prev);
    const double direction = std::sqrt(std::max(1 - abar_prev - sigma * sigma, 0.0));
    GuidedX0 p;
    Tensor x_t;
    for (int64_t pass = 0; pass < travel.passes(); ++pass) {
      x_t = travel.start(x, t, pass);
      p = predict_guided(run, watch, x_t, t);
      const Tensor eps = process.epsilon_from_x0(x_t, t, p.x0);
      x = at::add(std::sqrt(abar_prev) * p.x0, eps, direction);  // eq. (12)
      if (sigma > 0) x = at::add(x, travel.noise(t, pass), sigma);
      check_finite(watch, "ddim", x, t);
    }
    if (run.observe) run.observe({t, num_steps, p.x0, x, p.get_guidance(), x_t});
    watch.end_step();
  }
  watch.finish();
  return x;
}

}  // namespace sextant::samplers
