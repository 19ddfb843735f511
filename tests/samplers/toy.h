// A one-dimensional Gaussian mixture whose probability flow is known in closed form, and processes to sample it with.
#pragma once

#include <cmath>

#include "sextant/samplers/samplers.h"

namespace sextant::testing {

struct Component {
  double weight, mean, variance;
};
inline const std::vector<Component> kComponents = {{0.3, -1.0, 0.04}, {0.7, 0.8, 0.25}};

/// E[x_0 | alpha x_0 + sigma n = x], in scalars: thousands of steps in a moment.
inline double toy_denoise(double x, double alpha, double sigma) {
  double total = 0, sum = 0;
  for (const Component& c : kComponents) {
    const double variance = alpha * alpha * c.variance + sigma * sigma;
    const double distance = x - alpha * c.mean;
    const double density = c.weight * std::exp(-0.5 * distance * distance / variance) / std::sqrt(variance);
    total += density;
    sum += density * (c.mean + alpha * c.variance / variance * distance);
  }
  return sum / total;
}

/// toy_denoise of float64 images [N, 1, 1, 1].
inline Tensor toy_denoise(const Tensor& x, double alpha, double sigma) {
  Tensor x0 = x.contiguous().clone();
  double* value = x0.data_ptr<double>();
  for (int64_t i = 0; i < x0.numel(); ++i) value[i] = toy_denoise(value[i], alpha, sigma);
  return x0;
}

/// At the timesteps of a process that keeps all of its own.
inline diffusion::Denoiser toy_denoiser(const diffusion::Process& process) {
  const diffusion::Model model = [process](const Tensor& x, const Tensor& t, const Tensor&) {
    const diffusion::NoiseLevel level = process.level(t[0].item<int64_t>());
    return toy_denoise(x, level.alpha, level.sigma);
  };
  return {model, process, {1, 1, 1}};
}

inline diffusion::Denoiser toy_sigma_denoiser() {
  const diffusion::Model model = [](const Tensor& x, const Tensor& sigma, const Tensor&) {
    return toy_denoise(x, 1, sigma[0].item<double>());
  };
  return {model, diffusion::SigmaRange{}, {1, 1, 1}};
}

/// P(alpha x_0 + sigma n <= x)
inline double toy_cdf(double x, double alpha, double sigma) {
  double p = 0;
  for (const Component& c : kComponents) {
    const double deviation = std::sqrt(alpha * alpha * c.variance + sigma * sigma);
    p += c.weight * 0.5 * std::erfc((alpha * c.mean - x) / (deviation * std::sqrt(2.0)));
  }
  return p;
}

/// Where the probability flow carries x from (alpha, sigma) to (alpha', sigma'): in one dimension it keeps quantiles.
inline double toy_flow(double x, double alpha, double sigma, double to_alpha, double to_sigma) {
  const double quantile = toy_cdf(x, alpha, sigma);
  double low = -1000, high = 1000;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (toy_cdf(middle, to_alpha, to_sigma) < quantile ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// A process of n steps, uniform in lambda = log(sqrt(abar) / sqrt(1 - abar)) from `clean` (step 0) to `noisy`.
inline diffusion::Process uniform_process(int64_t n, double clean, double noisy) {
  std::vector<double> betas;
  std::vector<int64_t> map;
  double before = 1;
  for (int64_t i = 0; i < n; ++i) {
    const double lambda = clean + (noisy - clean) * static_cast<double>(i) / static_cast<double>(n - 1);
    const double abar = 1 / (1 + std::exp(-2 * lambda));
    betas.push_back(1 - abar / before);
    map.push_back(i);
    before = abar;
  }
  diffusion::ProcessConfig config;
  config.steps = n;
  config.mean = diffusion::MeanType::kStartX;
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.clip = false;
  return {std::move(betas), std::move(map), config};
}

/// Starts at given images and never adds noise.
class StartAt : public Noise {
 public:
  explicit StartAt(Tensor start) : Noise(0, {}, {}), start_(std::move(start)) {}
  Tensor initial() override { return start_; }

 private:
  Tensor start_;
};

/// Standard normals in float64.
class DoubleNoise : public Noise {
 public:
  using Noise::Noise;
  Tensor initial() override { return Noise::initial().to(at::kDouble); }
  Tensor at_step(int64_t step) override { return Noise::at_step(step).to(at::kDouble); }
};

}  // namespace sextant::testing
