#include "guided_x0.h"

namespace sextant::samplers {

GuidedX0 guided_x0(const guidance::Guide& guide, const guidance::GuideInput& in, diffusion::NoiseLevel level,
                   const Tensor& x0) {
  guidance::Guidance g = guide(in);
  const double noise = level.sigma * level.sigma;
  const bool at_x0 = guide.config().input == guidance::Input::kX0;
  const double weight = at_x0 ? noise / (level.alpha * level.alpha + noise) : noise / level.alpha;
  const Tensor shifted = at::add(x0, g.gradient, weight * guide.score_factor(in.step, in.num_steps));
  const Tensor delta = guide.backward(in);
  return {delta.defined() ? shifted + delta : shifted, std::move(g)};
}

guidance::GuideInput guide_input(const Run& run, FiniteWatch& watch, const diffusion::Prediction& prediction,
                                 const Tensor& x, int64_t step) {
  const diffusion::Process& process = run.denoiser.process();
  guidance::GuideInput in;
  in.x = x;
  in.t = process.model_time(step, x);
  in.x0 = prediction.x0;
  in.variance = prediction.variance;
  in.y = run.targets;
  in.step = step;
  in.num_steps = process.num_steps();
  in.alpha_cumprod = process.abar(step);
  in.ids = run.noise.ids();
  in.ids.time = process.time(step, x);
  in.watch = &watch;
  in.predict_x0 = [&run, step](const Tensor& x_t) { return run.denoiser.predict(x_t, step, run.labels).x0; };
  return in;
}

guidance::GuideInput guide_input(const Run& run, FiniteWatch& watch, const Tensor& x0, const Tensor& x, double sigma,
                                 int64_t step, int64_t num_steps) {
  guidance::GuideInput in;
  in.x = x;
  in.t = at::full({x.size(0)}, sigma, x.options());
  in.x0 = x0;
  in.variance = at::full({1, 1, 1, 1}, sigma * sigma, x.options());
  in.y = run.targets;
  in.step = step;
  in.num_steps = num_steps;
  in.alpha_cumprod = 1 / (1 + sigma * sigma);
  in.ids = run.noise.ids();
  in.ids.time = x.scalar_type() == at::kDouble ? sigma : static_cast<double>(static_cast<float>(sigma));
  in.watch = &watch;
  in.predict_x0 = [&run, sigma](const Tensor& noisy) { return run.denoiser.denoise(noisy, sigma, run.labels); };
  return in;
}

GuidedX0 predict_guided(const Run& run, FiniteWatch& watch, const Tensor& x, int64_t step) {
  const diffusion::Process& process = run.denoiser.process();
  const diffusion::Prediction p = run.denoiser.predict(x, step, run.labels);
  if (!run.guide || !run.guide->active(step, process.num_steps())) return {p.x0, std::nullopt};
  return guided_x0(*run.guide, guide_input(run, watch, p, x, step), process.level(step), p.x0);
}

}  // namespace sextant::samplers
