#include "step.h"

namespace sextant::samplers {

Tensor sample_ddpm(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                   const Tensor& targets, Noise& noise, const StepObserver& observe, int64_t recurrence) {
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = denoiser.process();
  const int64_t num_steps = process.num_steps();
  const Passes passes("ddpm", process, noise, recurrence);
  if (guide) guide->begin();

  Tensor x = noise.initial();  // x_T ~ N(0, I)
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    diffusion::Prediction p;
    std::optional<guidance::Guidance> g;
    for (int64_t pass = 0; pass < passes.count(); ++pass) {
      const Tensor x_t = passes.start(x, t, pass);
      p = denoiser.predict(x_t, t, labels);
      Tensor mean = p.mean;
      if (guide) {
        const guidance::GuideInput in = guide_input(denoiser, p, x_t, t, labels, targets, noise.ids());
        const Tensor gamma = guide->gamma(in);  // at every step: it keeps the running maximum
        if (guide->active(t, num_steps)) {
          g = (*guide)(in);
          mean = at::addcmul(mean, gamma, g->gradient);  // mu + gamma_t g
          const Tensor delta = guide->backward(in);
          if (delta.defined()) mean = at::add(mean, delta, process.posterior_mean_coef1[static_cast<std::size_t>(t)]);
        }
      }
      x = t > 0 ? at::addcmul(mean, (0.5 * p.log_variance).exp(), passes.noise(t, pass)) : mean;  // the last has none
      check_finite("ddpm", x, t);
    }
    if (observe) observe({t, num_steps, p.x0, x, g ? &*g : nullptr});
  }
  return x;
}

}  // namespace sextant::samplers
