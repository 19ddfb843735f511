// Ancestral sampling (Ho et al. 2020), guided: Algorithm 1 of Javid et al. 2025.
#include <ATen/core/grad_mode.h>

#include "finite.h"
#include "guided_x0.h"
#include "internal/runtime/pointwise.h"
#include "start.h"
#include "time_travel.h"

namespace sextant::samplers {

Tensor sample_ddpm(const Run& run, const SamplerConfig& config) {
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = run.denoiser.process();
  const int64_t num_steps = process.num_steps();
  const TimeTravel travel("ddpm", run, config.recurrence);
  guidance::Guide* const guide = run.guide;
  if (guide) guide->begin();

  Tensor x = initial_noise("ddpm", run);  // x_T ~ N(0, I)
  FiniteWatch watch(x.device());
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    diffusion::Prediction p;
    std::optional<guidance::Guidance> g;
    Tensor x_t;
    for (int64_t pass = 0; pass < travel.passes(); ++pass) {
      x_t = travel.start(x, t, pass);
      p = run.denoiser.predict(x_t, t, run.labels);
      Tensor mean = p.mean;
      if (guide) {
        const guidance::GuideInput in = guide_input(run, watch, p, x_t, t);
        const Tensor gamma = guide->gamma(in);  // at every step: it keeps the running maximum
        if (guide->active(t, num_steps)) {
          g = (*guide)(in);
          mean = at::addcmul(mean, gamma, g->gradient);  // mu + gamma_t g
          const Tensor delta = guide->backward(in);
          if (delta.defined()) mean = at::add(mean, delta, process.posterior_mean_coef1(t));
        }
      }
      x = t > 0 ? at::addcmul(mean, pointwise::exponential(0.5 * p.log_variance), travel.noise(t, pass))
                : mean;  // the last has none
      check_finite(watch, "ddpm", x, t);
    }
    if (run.observe) run.observe({t, num_steps, p.x0, x, g ? &*g : nullptr, x_t});
    watch.end_step();
  }
  watch.finish();
  return x;
}

}  // namespace sextant::samplers
