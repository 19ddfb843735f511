#include <algorithm>
#include <cmath>
#include <numbers>

#include "sextant/runtime/error.h"
#include "step.h"

namespace sextant::samplers {
namespace {

using diffusion::SigmaSchedule;

/// Root mean square of each image, [N, 1, 1, 1].
Tensor rms(const Tensor& x) { return x.square().mean({1, 2, 3}, /*keepdim=*/true).sqrt(); }

/// A denoiser and its guide at one step of a run.
class Evaluation {
 public:
  Evaluation(const diffusion::SigmaDenoiser& denoiser, const guidance::Guide* guide, const EdmConfig& config,
             const Tensor& labels, const Tensor& targets, const Noise& noise, at::ScalarType image_type, int64_t step,
             int64_t num_steps)
      : denoiser_(denoiser),
        guide_(guide && guide->active(step, num_steps) ? guide : nullptr),
        config_(config),
        labels_(labels),
        targets_(targets),
        noise_(noise),
        image_type_(image_type),
        step_(step),
        num_steps_(num_steps) {}

  /// D(x; sigma), with sigma^2 g, or sigma^2/(1 + sigma^2) g for g at x0, where the guide acts on the score. float64.
  Tensor denoised(const Tensor& x, double sigma) {
    const Tensor image = x.to(image_type_);
    Tensor x0 = denoiser_.denoise(image, sigma, labels_).to(at::kDouble);
    if (!guide_ || config_.guidance != EdmGuidance::kScore) return x0;
    const guidance::GuideInput in = guide_input(image, x0.to(image_type_), sigma);
    guidance::Guidance g = (*guide_)(in);
    // A gradient at x0 counts 1/(1 + sigma^2) at x, as sqrt(abar) at x_t: without it the shift grows without bound.
    const double at_x = guide_->config().input == guidance::Input::kX0 ? 1 / (1 + sigma * sigma) : 1;
    const double shift = sigma * sigma * at_x * guide_->score_factor(step_, num_steps_);
    Tensor guided = x0 + shift * g.gradient;
    const Tensor delta = guide_->backward(in);
    if (delta.defined()) guided = guided + delta;
    if (!guidance_) guidance_ = std::move(g);
    return guided;
  }

  /// EluCD's displacement of x, 0 where the guide is not active or does not act this way. float64.
  Tensor displacement(const Tensor& x, double sigma) {
    if (!guide_ || config_.guidance != EdmGuidance::kElucd) return at::zeros({}, x.options());
    const Tensor size = rms(x);
    const Tensor image = x.to(image_type_);
    guidance_ = (*guide_)(guide_input(image, (x / size.clamp_min(1)).to(image_type_), sigma));
    const Tensor g = guidance_->gradient.to(at::kDouble);
    const Tensor g_size = rms(g);
    // A classifier that is flat at an image leaves it where it is: EluCD's code divides 0 by 0 there.
    const Tensor direction = at::where(g_size > 0, g / g_size, at::zeros_like(g));
    return elucd_strength() * size * direction;
  }

  /// Of the step's first network call.
  const guidance::Guidance* get_guidance() const { return guidance_ ? &*guidance_ : nullptr; }

 private:
  guidance::GuideInput guide_input(const Tensor& x, const Tensor& x0, double sigma) const {
    guidance::GuideInput in;
    in.x = x;
    in.t = at::full({x.size(0)}, sigma, x.options());
    in.x0 = x0;
    in.variance = at::full({1, 1, 1, 1}, sigma * sigma, x.options());
    in.y = targets_;
    in.step = step_;
    in.num_steps = num_steps_;
    in.alpha_cumprod = 1 / (1 + sigma * sigma);
    in.ids = noise_.ids();
    in.predict_x0 = [this, sigma](const Tensor& noisy) { return denoiser_.denoise(noisy, sigma, labels_); };
    return in;
  }

  /// max_guidance falling to 0 along the run, and a half sine on top.
  double elucd_strength() const {
    const auto n = static_cast<double>(num_steps_);
    const auto k = static_cast<double>(num_steps_ - 1 - step_);  // steps done
    const double falling = std::max(config_.max_guidance / (n + 1) * (n + 1 - k), 1e-5);
    return falling + std::sin(std::numbers::pi * k / n) * config_.max_guidance * config_.add_factor;
  }

  const diffusion::SigmaDenoiser& denoiser_;
  const guidance::Guide* guide_;
  const EdmConfig& config_;
  const Tensor& labels_;
  const Tensor& targets_;
  const Noise& noise_;
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
  if (!(config.churn >= 0)) throw UsageError("edm: expected churn >= 0, got " + std::to_string(config.churn));
  if (!(config.alpha > 0 && config.alpha <= 1)) {
    throw UsageError("edm: expected alpha in (0, 1], got " + std::to_string(config.alpha));
  }
  if (guide && config.guidance == EdmGuidance::kElucd && guide->config().backward_steps > 0) {
    throw UsageError("edm: backward guidance moves the denoised image, EluCD's form the noisy one; use one of them");
  }
}

}  // namespace

Tensor sample_edm(const diffusion::SigmaDenoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                  const Tensor& targets, Noise& noise, const EdmConfig& config, const StepObserver& observe) {
  check_config(config, guide);
  const at::NoGradGuard no_grad;
  const SigmaSchedule schedule(config.levels, denoiser);
  const std::vector<double>& times = schedule.times();
  const int64_t num_steps = schedule.num_steps();
  if (guide) guide->begin();

  const Tensor n = noise.initial();
  Tensor x = n.to(at::kDouble) * (schedule.sigma(times[0]) * schedule.scale(times[0]));
  for (int64_t step = num_steps - 1; step >= 0; --step) {
    const double t = times[static_cast<std::size_t>(num_steps - 1 - step)];
    const double t_next = times[static_cast<std::size_t>(num_steps - step)];
    Evaluation at_step(denoiser, guide, config, labels, targets, noise, n.scalar_type(), step, num_steps);

    // Churn: back up to a higher noise level.
    const double sigma = schedule.sigma(t);
    const bool churned = config.churn > 0 && config.churn_min <= sigma && sigma <= config.churn_max;
    const double gamma =
        churned ? std::min(config.churn / static_cast<double>(num_steps), std::numbers::sqrt2 - 1) : 0.0;
    const double t_hat = churned ? schedule.time_of(denoiser.round_sigma(sigma + gamma * sigma)) : t;
    const double sigma_hat = schedule.sigma(t_hat);
    const double s_hat = schedule.scale(t_hat);
    const Tensor unscaled = x / schedule.scale(t);
    Tensor x_hat = s_hat * (unscaled + at_step.displacement(unscaled, sigma));
    if (churned) {
      const double added = std::sqrt(std::max(sigma_hat * sigma_hat - sigma * sigma, 0.0));
      x_hat = at::add(x_hat, noise.at_step(step), added * s_hat * config.churn_noise);
    }

    // Euler's method, then the correction from the slope further on. The last step ends at t = 0, which has no slope.
    const double h = t_next - t_hat;
    const Tensor x0 = at_step.denoised(x_hat / s_hat, sigma_hat);
    const Tensor slope = derivative(schedule, t_hat, x_hat, x0);
    if (config.heun && step > 0) {
      const double t_prime = t_hat + config.alpha * h;
      const Tensor x_prime = at::add(x_hat, slope, config.alpha * h);
      const Tensor x0_prime = at_step.denoised(x_prime / schedule.scale(t_prime), schedule.sigma(t_prime));
      const Tensor slope_prime = derivative(schedule, t_prime, x_prime, x0_prime);
      const double share = 1 / (2 * config.alpha);
      x = x_hat + h * ((1 - share) * slope + share * slope_prime);
    } else {
      x = at::add(x_hat, slope, h);
    }
    check_finite("edm", x, step);
    if (observe) observe({step, num_steps, x0.to(n.scalar_type()), x.to(n.scalar_type()), at_step.get_guidance()});
  }
  return x.to(n.scalar_type());
}

}  // namespace sextant::samplers
