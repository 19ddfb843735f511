#include "step.h"

#include <cmath>

#include "sextant/runtime/error.h"

namespace sextant::samplers {

void check_finite(const char* sampler, const Tensor& x, int64_t step) {
  // NaN and infinity survive a sum: one number to look at instead of a mask as large as the images.
  if (std::isfinite(x.sum(at::kDouble).item<double>())) return;
  const Tensor finite = at::isfinite(x).flatten(1).all(1);
  if (finite.all().item<bool>()) return;  // it was the sum that overflowed
  const int64_t image = finite.to(at::kByte).argmin().item<int64_t>();
  throw NumericError(c10::str(sampler, ": image ", image, " of the batch is not finite after step ", step,
                              "; lower the guidance scale or use a higher precision"));
}

guidance::GuideInput guide_input(const diffusion::Denoiser& denoiser, const diffusion::Prediction& prediction,
                                 const Tensor& x, int64_t step, const Tensor& labels, const Tensor& targets,
                                 const SampleIds& ids) {
  const diffusion::Process& process = denoiser.process();
  guidance::GuideInput in;
  in.x = x;
  in.t = process.model_time(step, x);
  in.x0 = prediction.x0;
  in.variance = prediction.variance;
  in.y = targets;
  in.step = step;
  in.num_steps = process.num_steps();
  in.alpha_cumprod = process.alphas_cumprod[static_cast<std::size_t>(step)];
  in.ids = ids;
  in.predict_x0 = [&denoiser, &labels, step](const Tensor& x_t) { return denoiser.predict(x_t, step, labels).x0; };
  return in;
}

Level level_of(const diffusion::Process& process, int64_t step) {
  const double abar = process.alphas_cumprod[static_cast<std::size_t>(step)];
  return {std::sqrt(abar), std::sqrt(1 - abar), 0.5 * std::log(abar / (1 - abar))};
}

GuidedX0 predict_guided(const diffusion::Denoiser& denoiser, const guidance::Guide* guide, const Tensor& x,
                        int64_t step, const Tensor& labels, const Tensor& targets, const SampleIds& ids) {
  const diffusion::Prediction p = denoiser.predict(x, step, labels);
  const int64_t num_steps = denoiser.process().num_steps();
  if (!guide || !guide->active(step, num_steps)) return {p.x0, std::nullopt};

  const guidance::GuideInput in = guide_input(denoiser, p, x, step, labels, targets, ids);
  guidance::Guidance g = (*guide)(in);
  const Tensor delta = guide->backward(in);
  const double abar = denoiser.process().alphas_cumprod[static_cast<std::size_t>(step)];
  // A gradient at x0 counts sqrt(abar) at x_t: without it the shift grows without bound where abar is near 0.
  const double at_x_t = guide->config().input == guidance::Input::kX0 ? std::sqrt(abar) : 1;
  const double shift = (1 - abar) / std::sqrt(abar) * at_x_t * guide->score_factor(step, num_steps);
  const Tensor x0 = at::add(p.x0, g.gradient, shift);
  return {delta.defined() ? x0 + delta : x0, std::move(g)};
}

Passes::Passes(const char* sampler, const diffusion::Process& process, Noise& noise, int64_t recurrence)
    : process_(process), noise_(noise), count_(recurrence), num_steps_(process.num_steps()) {
  if (recurrence < 1) throw UsageError(c10::str(sampler, ": expected a recurrence of at least 1, got ", recurrence));
}

Tensor Passes::start(const Tensor& x, int64_t t, int64_t pass) const {
  if (pass == 0) return x;
  const auto at_t = static_cast<std::size_t>(t);
  const double ratio = process_.alphas_cumprod[at_t] / process_.alphas_cumprod_prev[at_t];
  return at::add(std::sqrt(ratio) * x, noise_.at_step(t + (2 * pass - 1) * num_steps_), std::sqrt(1 - ratio));
}

}  // namespace sextant::samplers
