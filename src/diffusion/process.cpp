#include "sextant/diffusion/process.h"

#include <cmath>

#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

Respaced respaced_schedule(const ProcessConfig& config) {
  std::vector<double> betas = named_betas(config.schedule, config.steps);
  if (!config.respacing.empty()) return respace(betas, space_timesteps(config.steps, config.respacing));
  std::vector<int64_t> all(betas.size());
  for (std::size_t t = 0; t < all.size(); ++t) all[t] = static_cast<int64_t>(t);
  return {std::move(betas), std::move(all)};
}

/// f at every step of a table.
template <class Function>
std::vector<double> each(const std::vector<double>& table, Function f) {
  std::vector<double> result;
  result.reserve(table.size());
  for (const double value : table) result.push_back(f(value));
  return result;
}

void check_betas(const std::vector<double>& betas, const std::vector<int64_t>& timestep_map) {
  if (betas.size() < 2) {
    throw UsageError("diffusion process: needs at least 2 steps, got " + std::to_string(betas.size()) +
                     "; the variance of a lone step is undefined, ask for more steps");
  }
  if (timestep_map.size() != betas.size()) {
    throw UsageError("diffusion process: " + std::to_string(betas.size()) + " betas for " +
                     std::to_string(timestep_map.size()) + " timesteps; give one timestep for each beta");
  }
  for (const double beta : betas) {
    if (!(beta > 0 && beta <= 1)) {
      throw UsageError("diffusion process: every beta must be in (0, 1], got " + std::to_string(beta));
    }
  }
}

template <class Number>
Number entry(const std::vector<Number>& table, int64_t step) {
  if (step < 0 || step >= static_cast<int64_t>(table.size())) {
    throw UsageError(c10::str("diffusion process: step ", step, " is not in [0, ", table.size(), ")"));
  }
  return table[static_cast<std::size_t>(step)];
}

template <class Number>
std::vector<Number> entries(const std::vector<Number>& table, const Tensor& index) {
  const Tensor dense = index.contiguous();
  std::vector<Number> result;
  for (int64_t n = 0; n < dense.size(0); ++n) result.push_back(entry(table, dense.data_ptr<int64_t>()[n]));
  return result;
}

/// `table` as Prediction carries it: with the batch axis, on the images' device.
Tensor broadcastable(const std::vector<double>& table, const Steps& step, const Tensor& images) {
  const Tensor value = step.of(table, images);
  return step.per_image() ? value : at::full({1, 1, 1, 1}, value.item<double>(), images.options());
}

}  // namespace

Tensor Steps::indices(int64_t n) const {
  if (!per_image()) return at::full({n}, step_, at::kLong);
  if (steps_.dim() != 1 || steps_.size(0) != n) {
    throw ShapeError(c10::str("diffusion process: expected one step for each image, [", n, "], got ", steps_.sizes()));
  }
  return steps_.to(at::kCPU, at::kLong);
}

Tensor Steps::of(const std::vector<double>& table, const Tensor& images) const {
  if (!per_image()) return at::scalar_tensor(entry(table, step_), at::kDouble);
  return at::tensor(entries(table, indices(images.size(0))), at::kDouble).to(images.options()).view({-1, 1, 1, 1});
}

Process::Process(const ProcessConfig& config) : Process(respaced_schedule(config), config) {}

Process::Process(Respaced respaced, ProcessConfig config)
    : Process(std::move(respaced.betas), std::move(respaced.timestep_map), std::move(config)) {}

Process::Process(std::vector<double> betas_in, std::vector<int64_t> timestep_map_in, ProcessConfig config)
    : betas(std::move(betas_in)), timestep_map(std::move(timestep_map_in)), config_(std::move(config)) {
  check_betas(betas, timestep_map);
  const std::size_t n = betas.size();

  double product = 1;
  for (const double beta : betas) {
    alphas_cumprod_prev.push_back(product);
    alphas_cumprod.push_back(product *= 1 - beta);
  }
  alphas_cumprod_next.assign(alphas_cumprod.begin() + 1, alphas_cumprod.end());
  alphas_cumprod_next.push_back(0);

  log_betas = each(betas, [](double beta) { return std::log(beta); });
  sqrt_alphas_cumprod = each(alphas_cumprod, [](double abar) { return std::sqrt(abar); });
  sqrt_one_minus_alphas_cumprod = each(alphas_cumprod, [](double abar) { return std::sqrt(1 - abar); });
  log_one_minus_alphas_cumprod = each(alphas_cumprod, [](double abar) { return std::log(1 - abar); });
  sqrt_recip_alphas_cumprod = each(alphas_cumprod, [](double abar) { return std::sqrt(1 / abar); });
  sqrt_recipm1_alphas_cumprod = each(alphas_cumprod, [](double abar) { return std::sqrt(1 / abar - 1); });

  for (std::size_t t = 0; t < n; ++t) {
    const double noise = 1 - alphas_cumprod[t];
    const double noise_before = 1 - alphas_cumprod_prev[t];
    posterior_variance.push_back(betas[t] * noise_before / noise);
    posterior_mean_coef1.push_back(betas[t] * std::sqrt(alphas_cumprod_prev[t]) / noise);
    posterior_mean_coef2.push_back(noise_before * std::sqrt(1 - betas[t]) / noise);
  }

  // Step 0 of the true posterior has no variance, whose logarithm would be infinite: step 1's stands in.
  std::vector<double> clipped = posterior_variance;
  clipped[0] = posterior_variance[1];
  posterior_log_variance_clipped = each(clipped, [](double variance) { return std::log(variance); });
  fixed_large_variance = betas;
  fixed_large_variance[0] = posterior_variance[1];
  fixed_large_log_variance = each(fixed_large_variance, [](double variance) { return std::log(variance); });
}

Tensor Process::model_time(const Steps& step, const Tensor& images) const {
  const Tensor t = at::tensor(entries(timestep_map, step.indices(images.size(0))), at::kLong).to(images.device());
  return config_.rescale_timesteps ? t.to(images.scalar_type()) * (1000.0 / static_cast<double>(config_.steps)) : t;
}

Tensor Process::q_sample(const Tensor& x0, const Steps& step, const Tensor& noise) const {
  return step.of(sqrt_alphas_cumprod, x0) * x0 + step.of(sqrt_one_minus_alphas_cumprod, x0) * noise;
}

Tensor Process::posterior_mean(const Tensor& x0, const Tensor& x_t, const Steps& step) const {
  return step.of(posterior_mean_coef1, x0) * x0 + step.of(posterior_mean_coef2, x0) * x_t;
}

Tensor Process::x0_from_epsilon(const Tensor& x_t, const Steps& step, const Tensor& epsilon) const {
  return step.of(sqrt_recip_alphas_cumprod, x_t) * x_t - step.of(sqrt_recipm1_alphas_cumprod, x_t) * epsilon;
}

Tensor Process::epsilon_from_x0(const Tensor& x_t, const Steps& step, const Tensor& x0) const {
  // q_sample solved for the noise. The form with 1/sqrt(abar) cancels badly where abar is near 0.
  return (x_t - step.of(sqrt_alphas_cumprod, x_t) * x0) / step.of(sqrt_one_minus_alphas_cumprod, x_t);
}

Tensor Process::velocity(const Tensor& x0, const Steps& step, const Tensor& noise) const {
  return step.of(sqrt_alphas_cumprod, x0) * noise - step.of(sqrt_one_minus_alphas_cumprod, x0) * x0;
}

Tensor Process::x0_from_velocity(const Tensor& x_t, const Steps& step, const Tensor& v) const {
  return step.of(sqrt_alphas_cumprod, x_t) * x_t - step.of(sqrt_one_minus_alphas_cumprod, x_t) * v;
}

Prediction Process::p_mean_variance(const Tensor& output, const Tensor& x_t, const Steps& step, bool clip) const {
  const bool learned = config_.variance == VarianceType::kLearned || config_.variance == VarianceType::kLearnedRange;
  const int64_t channels = x_t.size(1);
  std::vector<int64_t> expected = x_t.sizes().vec();
  if (learned) expected[1] *= 2;
  if (output.sizes() != at::IntArrayRef(expected)) {
    throw ShapeError(c10::str("diffusion process: expected a network output ", at::IntArrayRef(expected),
                              " for images ", x_t.sizes(),
                              learned ? " with a learned variance" : " with a fixed variance", ", got ", output.sizes(),
                              "; check the model's learn_sigma and channels"));
  }
  const Tensor predicted = learned ? output.narrow(1, 0, channels) : output;

  Prediction p;
  switch (config_.variance) {
    case VarianceType::kFixedSmall:
      p.variance = broadcastable(posterior_variance, step, x_t);
      p.log_variance = broadcastable(posterior_log_variance_clipped, step, x_t);
      break;
    case VarianceType::kFixedLarge:
      p.variance = broadcastable(fixed_large_variance, step, x_t);
      p.log_variance = broadcastable(fixed_large_log_variance, step, x_t);
      break;
    case VarianceType::kLearned:
      p.log_variance = output.narrow(1, channels, channels);
      p.variance = p.log_variance.exp();
      break;
    case VarianceType::kLearnedRange: {
      // -1 is the smallest possible variance (the posterior's), +1 the largest (beta).
      const Tensor fraction = (output.narrow(1, channels, channels) + 1) / 2;
      const Tensor low = step.of(posterior_log_variance_clipped, x_t);
      const Tensor high = step.of(log_betas, x_t);
      p.log_variance = fraction * (high - low) + low;
      p.variance = p.log_variance.exp();
      break;
    }
  }

  switch (config_.mean) {
    case MeanType::kEpsilon:
      p.x0 = x0_from_epsilon(x_t, step, predicted);
      break;
    case MeanType::kStartX:
      p.x0 = predicted;
      break;
    case MeanType::kPreviousX:  // posterior_mean solved for x0
      p.x0 = (predicted - step.of(posterior_mean_coef2, x_t) * x_t) / step.of(posterior_mean_coef1, x_t);
      break;
    case MeanType::kVelocity:
      p.x0 = x0_from_velocity(x_t, step, predicted);
      break;
  }
  if (clip) p.x0 = p.x0.clamp(-1, 1);
  p.mean = config_.mean == MeanType::kPreviousX ? predicted : posterior_mean(p.x0, x_t, step);
  return p;
}

}  // namespace sextant::diffusion
