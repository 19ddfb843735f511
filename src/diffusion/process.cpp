#include "sextant/diffusion/process.h"

#include <cmath>

#include "internal/runtime/pointwise.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

Respaced respaced_schedule(const ProcessConfig& config) {
  if (config.steps < 2) {
    throw UsageError("diffusion process: needs at least 2 steps, got " + std::to_string(config.steps));
  }
  std::vector<double> betas = diffusion::betas(config.schedule, config.steps);
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
  if (betas.empty()) throw UsageError("diffusion process: needs at least 1 step, got none");
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
Number entry_of(const std::vector<Number>& table, int64_t step) {
  if (step < 0 || step >= static_cast<int64_t>(table.size())) {
    throw UsageError(c10::str("diffusion process: step ", step, " is not in [0, ", table.size(), ")"));
  }
  return table[static_cast<std::size_t>(step)];
}

template <class Number>
std::vector<Number> entries(const std::vector<Number>& table, const Tensor& index) {
  const Tensor dense = index.contiguous();
  std::vector<Number> result;
  for (int64_t n = 0; n < dense.size(0); ++n) result.push_back(entry_of(table, dense.data_ptr<int64_t>()[n]));
  return result;
}

void check_alike(const char* caller, const Tensor& images, const Tensor& other) {
  if (images.sizes() == other.sizes()) return;
  throw ShapeError(c10::str("diffusion process: ", caller, ": expected two tensors of one shape, got ", images.sizes(),
                            " and ", other.sizes()));
}

/// `table` as Prediction carries it: with the batch axis, on the images' device.
Tensor broadcastable(const std::vector<double>& table, const Steps& step, const Tensor& images) {
  return step.per_image() ? step.of(table, images) : at::full({1, 1, 1, 1}, step.in(table), images.options());
}

}  // namespace

Tensor Steps::indices(int64_t n) const {
  if (!per_image()) return at::full({n}, step_, at::kLong);
  if (steps_.dim() != 1 || steps_.size(0) != n || steps_.is_floating_point()) {
    throw ShapeError(c10::str("diffusion process: expected one step for each image, int64 [", n, "], got ",
                              steps_.scalar_type(), " ", steps_.sizes()));
  }
  return steps_.to(at::kCPU, at::kLong);
}

Tensor Steps::of(const std::vector<double>& table, const Tensor& images) const {
  if (!per_image()) return at::scalar_tensor(in(table), at::kDouble);
  return at::tensor(entries(table, indices(images.size(0))), at::kDouble).to(images.options()).view({-1, 1, 1, 1});
}

double Steps::in(const std::vector<double>& table) const { return entry_of(table, step_); }

Process::Process(const ProcessConfig& config) : Process(respaced_schedule(config), config) {}

Process::Process(Respaced respaced, ProcessConfig config)
    : Process(std::move(respaced.betas), std::move(respaced.timestep_map), std::move(config)) {}

Process::Process(std::vector<double> betas, std::vector<int64_t> timestep_map, ProcessConfig config)
    : config_(std::move(config)), betas_(std::move(betas)), timestep_map_(std::move(timestep_map)) {
  check_betas(betas_, timestep_map_);

  double product = 1;
  for (const double beta : betas_) {
    abar_prev_.push_back(product);
    abar_.push_back(product *= 1 - beta);
  }
  log_betas_ = each(betas_, [](double beta) { return std::log(beta); });
  sqrt_abar_ = each(abar_, [](double abar) { return std::sqrt(abar); });
  sqrt_one_minus_abar_ = each(abar_, [](double abar) { return std::sqrt(1 - abar); });
  sqrt_recip_abar_ = each(abar_, [](double abar) { return std::sqrt(1 / abar); });
  sqrt_recipm1_abar_ = each(abar_, [](double abar) { return std::sqrt(1 / abar - 1); });

  for (std::size_t t = 0; t < betas_.size(); ++t) {
    const double noise = 1 - abar_[t];
    const double noise_before = 1 - abar_prev_[t];
    posterior_variance_.push_back(betas_[t] * noise_before / noise);
    posterior_mean_coef1_.push_back(betas_[t] * std::sqrt(abar_prev_[t]) / noise);
    posterior_mean_coef2_.push_back(noise_before * std::sqrt(1 - betas_[t]) / noise);
  }

  // Step 0 of the true posterior has no variance, whose logarithm would be infinite: step 1's stands in. A lone step
  // has beta's, which no sampler reads.
  std::vector<double> clipped = posterior_variance_;
  clipped[0] = betas_.size() > 1 ? posterior_variance_[1] : betas_[0];
  posterior_log_variance_ = each(clipped, [](double variance) { return std::log(variance); });
  fixed_large_variance_ = betas_;
  fixed_large_variance_[0] = clipped[0];
  fixed_large_log_variance_ = each(fixed_large_variance_, [](double variance) { return std::log(variance); });
}

Process Process::respaced(const std::string& sections) const {
  Respaced shorter = respace(betas_, space_timesteps(num_steps(), sections));
  for (int64_t& t : shorter.timestep_map) t = timestep(t);
  ProcessConfig config = config_;
  config.respacing = sections;
  return Process(std::move(shorter), std::move(config));
}

Process Process::predicting(MeanType mean) const {
  Process changed = *this;
  changed.config_.mean = mean;
  return changed;
}

double Process::entry(const std::vector<double>& table, int64_t step) { return entry_of(table, step); }
int64_t Process::entry(const std::vector<int64_t>& table, int64_t step) { return entry_of(table, step); }

Tensor Process::model_time(const Steps& step, const Tensor& images) const {
  const at::TensorOptions whole = images.options().dtype(at::kLong);
  const Tensor t = step.per_image()
                       ? at::tensor(entries(timestep_map_, step.indices(images.size(0))), at::kLong).to(whole)
                       : at::full({images.size(0)}, timestep(step.one()), whole);  // made where it is needed
  return config_.rescale_timesteps ? t.to(images.scalar_type()) * (1000.0 / static_cast<double>(config_.steps)) : t;
}

double Process::time(int64_t step, const Tensor& images) const {
  const Tensor one = model_time(step, at::empty({1}, at::TensorOptions(images.scalar_type()))).to(at::kDouble);
  return *one.data_ptr<double>();
}

Tensor Process::q_sample(const Tensor& x0, const Steps& step, const Tensor& noise) const {
  check_alike("q_sample", x0, noise);
  return step.of(sqrt_abar_, x0) * x0 + step.of(sqrt_one_minus_abar_, x0) * noise;
}

Tensor Process::posterior_mean(const Tensor& x0, const Tensor& x_t, const Steps& step) const {
  check_alike("posterior_mean", x0, x_t);
  return step.of(posterior_mean_coef1_, x0) * x0 + step.of(posterior_mean_coef2_, x0) * x_t;
}

Tensor Process::posterior_log_variance(const Steps& step, const Tensor& images) const {
  return step.of(posterior_log_variance_, images);
}

Tensor Process::x0_from_epsilon(const Tensor& x_t, const Steps& step, const Tensor& epsilon) const {
  check_alike("x0_from_epsilon", x_t, epsilon);
  return step.of(sqrt_recip_abar_, x_t) * x_t - step.of(sqrt_recipm1_abar_, x_t) * epsilon;
}

Tensor Process::epsilon_from_x0(const Tensor& x_t, const Steps& step, const Tensor& x0) const {
  check_alike("epsilon_from_x0", x_t, x0);
  // q_sample solved for the noise. The form with 1/sqrt(abar) cancels badly where abar is near 0.
  return (x_t - step.of(sqrt_abar_, x_t) * x0) / step.of(sqrt_one_minus_abar_, x_t);
}

Tensor Process::velocity(const Tensor& x0, const Steps& step, const Tensor& noise) const {
  check_alike("velocity", x0, noise);
  return step.of(sqrt_abar_, x0) * noise - step.of(sqrt_one_minus_abar_, x0) * x0;
}

Tensor Process::x0_from_velocity(const Tensor& x_t, const Steps& step, const Tensor& v) const {
  check_alike("x0_from_velocity", x_t, v);
  return step.of(sqrt_abar_, x_t) * x_t - step.of(sqrt_one_minus_abar_, x_t) * v;
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
      p.variance = broadcastable(posterior_variance_, step, x_t);
      p.log_variance = broadcastable(posterior_log_variance_, step, x_t);
      break;
    case VarianceType::kFixedLarge:
      p.variance = broadcastable(fixed_large_variance_, step, x_t);
      p.log_variance = broadcastable(fixed_large_log_variance_, step, x_t);
      break;
    case VarianceType::kLearned:
      p.log_variance = output.narrow(1, channels, channels);
      p.variance = pointwise::exponential(p.log_variance);
      break;
    case VarianceType::kLearnedRange: {
      // -1 is the smallest possible variance (the posterior's), +1 the largest (beta).
      const Tensor fraction = (output.narrow(1, channels, channels) + 1) / 2;
      const Tensor low = step.of(posterior_log_variance_, x_t);
      const Tensor high = step.of(log_betas_, x_t);
      p.log_variance = fraction * (high - low) + low;
      p.variance = pointwise::exponential(p.log_variance);
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
      p.x0 = (predicted - step.of(posterior_mean_coef2_, x_t) * x_t) / step.of(posterior_mean_coef1_, x_t);
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
