#include <algorithm>
#include <cmath>

#include "sextant/runtime/error.h"
#include "step.h"

namespace sextant::samplers {

Tensor sample_ddim(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                   const Tensor& targets, Noise& noise, double eta, const StepObserver& observe, int64_t recurrence) {
  if (!(eta >= 0 && eta <= 1)) throw UsageError("ddim: expected eta in [0, 1], got " + std::to_string(eta));
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = denoiser.process();
  const int64_t num_steps = process.num_steps();
  const Passes passes("ddim", process, noise, recurrence);
  if (guide) guide->begin();

  Tensor x = noise.initial();
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const double abar = process.alphas_cumprod[static_cast<std::size_t>(t)];
    const double abar_prev = process.alphas_cumprod_prev[static_cast<std::size_t>(t)];
    const double sigma = eta * std::sqrt((1 - abar_prev) / (1 - abar)) * std::sqrt(1 - abar / abar_prev);
    const double direction = std::sqrt(std::max(1 - abar_prev - sigma * sigma, 0.0));
    GuidedX0 p;
    for (int64_t pass = 0; pass < passes.count(); ++pass) {
      const Tensor x_t = passes.start(x, t, pass);
      p = predict_guided(denoiser, guide, x_t, t, labels, targets, noise.ids());
      const Tensor eps = process.epsilon_from_x0(x_t, t, p.x0);
      x = at::add(std::sqrt(abar_prev) * p.x0, eps, direction);  // eq. (12)
      if (sigma > 0) x = at::add(x, passes.noise(t, pass), sigma);
      check_finite("ddim", x, t);
    }
    if (observe) observe({t, num_steps, p.x0, x, p.get_guidance()});
  }
  return x;
}

}  // namespace sextant::samplers
