#include "samplers/step.h"

namespace sextant::samplers {

Tensor sample_ddpm(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                   const Tensor& targets, Noise& noise, const StepObserver& observe) {
  const at::NoGradGuard no_grad;
  const int64_t num_steps = denoiser.process().num_steps();
  if (guide) guide->begin();

  Tensor x = noise.initial();  // x_T ~ N(0, I)
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const diffusion::Prediction p = denoiser.predict(x, t, labels);
    Tensor mean = p.mean;
    std::optional<guidance::Guidance> g;
    if (guide) {
      const guidance::GuideInput in = guide_input(denoiser, p, x, t, labels, targets);
      const Tensor gamma = guide->gamma(in);  // at every step: it keeps the running maximum
      if (guide->active(t, num_steps)) {
        g = (*guide)(in);
        mean = at::addcmul(mean, gamma, g->gradient);  // mu + gamma_t g
      }
    }
    x = t > 0 ? at::addcmul(mean, (0.5 * p.log_variance).exp(), noise.at_step(t)) : mean;  // the last step has no noise
    check_finite("ddpm", x, t);
    if (observe) observe({t, num_steps, p.x0, x, g ? &*g : nullptr});
  }
  return x;
}

}  // namespace sextant::samplers
