// EDM's sampler and the generalised one of its ablation (Karras et al. 2022), guided by the score or as EluCD's code
// does (Ma et al. 2023).
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "finite.h"
#include "guided_x0.h"
#include "sextant/runtime/error.h"
#include "start.h"

namespace sextant::samplers {
namespace {

using diffusion::SigmaSchedule;

/// Root mean square of each image, [N, 1, 1, 1].
Tensor rms(const Tensor& x) { return x.square().mean({1, 2, 3}, /*keepdim=*/true).sqrt(); }

/// The networks' part of one step of a run.
class Evaluation {
 public:
  Evaluation(const Run& run, FiniteWatch& watch, const EdmConfig& config, at::ScalarType image_type, int64_t step,
             int64_t num_steps)
      : run_(run),
        watch_(watch),
        guide_(run.guide && run.guide->active(step, num_steps) ? run.guide : nullptr),
        config_(config),
        image_type_(image_type),
        step_(step),
        num_steps_(num_steps) {}

  /// D(x; sigma), shifted where the guide acts on the score. float64.
  Tensor denoised(const Tensor& x, double sigma) {
    const Tensor image = x.to(image_type_);
    const Tensor x0 = run_.denoiser.denoise(image, sigma, run_.labels).to(at::kDouble);
    if (!guide_ || config_.guidance != EdmGuidance::kScore) return x0;
    const auto in = guide_input(run_, watch_, x0.to(image_type_), image, sigma, step_, num_steps_);
    GuidedX0 guided = guided_x0(*guide_, in, {1, sigma}, x0);
    if (!guidance_) guidance_ = std::move(guided.guidance);
    return guided.x0;
  }

  /// EluCD's displacement of x, 0 where the guide is not active or does not act this way. float64.
  Tensor displacement(const Tensor& x, double sigma) {
    if (!guide_ || config_.guidance != EdmGuidance::kElucd) return at::zeros({}, x.options());
    const Tensor size = rms(x);
    const Tensor shrunk = (x / size.clamp_min(1)).to(image_type_);
    guidance_ = (*guide_)(guide_input(run_, watch_, shrunk, x.to(image_type_), sigma, step_, num_steps_));
    const Tensor g = guidance_->gradient.to(at::kDouble);
    const Tensor g_size = rms(g);
    // A classifier that is flat at an image leaves it where it is: EluCD's code divides 0 by 0 there.
    const Tensor direction = at::where(g_size > 0, g / g_size, at::zeros_like(g));
    return elucd_strength() * size * direction;
  }

  /// What the guide answered at the step's first network call.
  const guidance::Guidance* get_guidance() const { return guidance_ ? &*guidance_ : nullptr; }

 private:
  /// max_guidance falling to 0 along the run, and a half sine on top.
  double elucd_strength() const {
    const auto n = static_cast<double>(num_steps_);
    const auto k = static_cast<double>(num_steps_ - 1 - step_);  // steps done
    const double falling = std::max(config_.max_guidance / (n + 1) * (n + 1 - k), 1e-5);
    return falling + std::sin(std::numbers::pi * k / n) * config_.max_guidance * config_.add_factor;
  }

  const Run& run_;
  FiniteWatch& watch_;
  const guidance::Guide* guide_;
  const EdmConfig& config_;
  at::ScalarType image_type_;
  int64_t step_;
  int64_t num_steps_;
  std::optional<guidance::Guidance> guidance_;
};

/// dx/dt at x, given D(x/s; sigma).
Tensor derivative(const SigmaSchedule& schedule, double t, const Tensor& x, const Tensor& denoised) {
  const double sigma = schedule.sigma(t);
  const double s = schedule.scale(t);
  const double rate = schedule.sigma_derivative(t) / sigma;
  return at::add((rate + schedule.scale_derivative(t) / s) * x, denoised, -rate * s);
}

void check_config(const EdmConfig& config, const guidance::Guide* guide) {
  config.kAlpha.check("edm", "solver-alpha", config.alpha);
  config.kChurn.check("edm", "churn", config.churn);
  config.kChurnLevel.check("edm", "churn-min", config.churn_min);
  config.kChurnLevel.check("edm", "churn-max", std::min(config.churn_max, config.kChurnLevel.high));
  config.kChurnNoise.check("edm", "churn-noise", config.churn_noise);
  config.kMaxGuidance.check("edm", "max-guidance", config.max_guidance);
  config.kAddFactor.check("edm", "add-factor", config.add_factor);
  if (config.churn > 0 && config.churn_min > config.churn_max) {
    throw UsageError(c10::str("edm: no noise level lies between churn-min ", config.churn_min, " and churn-max ",
                              config.churn_max, "; give a churn-max above churn-min, or leave churn at 0"));
  }
  if (guide && config.guidance == EdmGuidance::kElucd && guide->config().backward_steps > 0) {
    throw UsageError("edm: backward guidance moves the denoised image, EluCD's form the noisy one; use one of them");
  }
}

Tensor solve_edm(const Run& run, const SamplerConfig& settings, bool heun) {
  const EdmConfig& config = settings.edm;
  check_config(config, run.guide);
  const at::NoGradGuard no_grad;
  const diffusion::SigmaRange& range = run.denoiser.range();
  const SigmaSchedule schedule(config.levels, settings.steps, range);
  const std::vector<double>& times = schedule.times();
  const int64_t num_steps = schedule.num_steps();
  if (run.guide) run.guide->begin();

  const Tensor n = initial_noise("edm", run);
  FiniteWatch watch(n.device());
  Tensor x = n.to(at::kDouble) * (schedule.sigma(times[0]) * schedule.scale(times[0]));
  for (int64_t step = num_steps - 1; step >= 0; --step) {
    const double t = times[static_cast<std::size_t>(num_steps - 1 - step)];
    const double t_next = times[static_cast<std::size_t>(num_steps - step)];
    Evaluation at_step(run, watch, config, n.scalar_type(), step, num_steps);

    // Churn: back up to a higher noise level.
    const double sigma = schedule.sigma(t);
    const bool churned = config.churn > 0 && config.churn_min <= sigma && sigma <= config.churn_max;
    const double gamma =
        churned ? std::min(config.churn / static_cast<double>(num_steps), std::numbers::sqrt2 - 1) : 0.0;
    const double t_hat = churned ? schedule.time_of(range.nearest(sigma + gamma * sigma)) : t;
    const double sigma_hat = schedule.sigma(t_hat);
    const double s_hat = schedule.scale(t_hat);
    const Tensor unscaled = x / schedule.scale(t);
    Tensor x_hat = s_hat * (unscaled + at_step.displacement(unscaled, sigma));
    if (churned) {
      const double added = std::sqrt(std::max(sigma_hat * sigma_hat - sigma * sigma, 0.0));
      x_hat = at::add(x_hat, run.noise.at_step(step), added * s_hat * config.churn_noise);
    }

    // Euler's method, then the correction from the slope further on. The last step ends at t = 0, which has no slope.
    const double h = t_next - t_hat;
    const Tensor x0 = at_step.denoised(x_hat / s_hat, sigma_hat);
    const Tensor slope = derivative(schedule, t_hat, x_hat, x0);
    if (heun && step > 0) {
      const double t_prime = t_hat + config.alpha * h;
      const Tensor x_prime = at::add(x_hat, slope, config.alpha * h);
      const Tensor x0_prime = at_step.denoised(x_prime / schedule.scale(t_prime), schedule.sigma(t_prime));
      const Tensor slope_prime = derivative(schedule, t_prime, x_prime, x0_prime);
      const double share = 1 / (2 * config.alpha);
      x = x_hat + h * ((1 - share) * slope + share * slope_prime);
    } else {
      x = at::add(x_hat, slope, h);
    }
    check_finite(watch, "edm", x, step);
    if (run.observe) {
      run.observe({step, num_steps, x0.to(n.scalar_type()), x.to(n.scalar_type()), at_step.get_guidance(),
                   unscaled.to(n.scalar_type())});
    }
    watch.end_step();
  }
  watch.finish();
  return x.to(n.scalar_type());
}

}  // namespace

Tensor sample_edm_heun(const Run& run, const SamplerConfig& config) { return solve_edm(run, config, /*heun=*/true); }

Tensor sample_edm_euler(const Run& run, const SamplerConfig& config) { return solve_edm(run, config, /*heun=*/false); }

}  // namespace sextant::samplers
