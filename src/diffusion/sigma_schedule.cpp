#include "sextant/diffusion/sigma_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "internal/runtime/sine.h"
#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

// The VP process of Song et al. 2021, from which its default range of noise levels comes.
constexpr double kSongBetaD = 19.9;
constexpr double kSongBetaMin = 0.1;

double vp_sigma(double t, double beta_d, double beta_min) {
  return std::sqrt(std::expm1(0.5 * beta_d * t * t + beta_min * t));
}

double default_sigma_min(const SigmaConfig& config) {
  switch (config.discretization) {
    case Discretization::kVp:
      return vp_sigma(config.epsilon_s, kSongBetaD, kSongBetaMin);
    case Discretization::kVe:
      return 0.02;
    case Discretization::kIddpm:
    case Discretization::kEdm:
      break;
  }
  return 0.002;
}

double default_sigma_max(const SigmaConfig& config) {
  switch (config.discretization) {
    case Discretization::kVp:
      return vp_sigma(1, kSongBetaD, kSongBetaMin);
    case Discretization::kVe:
      return 100;
    case Discretization::kIddpm:
      return 81;
    case Discretization::kEdm:
      break;
  }
  return 80;
}

/// The iDDPM levels inside the range, thinned evenly.
std::vector<double> iddpm_sigmas(const SigmaConfig& config, int64_t steps, double sigma_min, double sigma_max) {
  std::vector<double> inside = iddpm_levels(config.m, config.c1, config.c2);
  std::erase_if(inside, [&](double u) { return u < sigma_min || u > sigma_max; });
  if (inside.empty())
    throw UsageError("noise levels: no level of the iddpm table lies between sigma_min and sigma_max");
  const double stride = steps > 1 ? static_cast<double>(inside.size() - 1) / static_cast<double>(steps - 1) : 0;
  std::vector<double> sigmas;
  for (int64_t i = 0; i < steps; ++i) {
    sigmas.push_back(inside[static_cast<std::size_t>(std::llrint(stride * static_cast<double>(i)))]);
  }
  return sigmas;
}

}  // namespace

std::vector<double> iddpm_levels(int64_t m, double c1, double c2) {
  Range{1, 1e6}.check("noise levels", "m", static_cast<double>(m));
  Range{}.check("noise levels", "c1", c1);
  Range{}.check("noise levels", "c2", c2);
  // float32, like the tables inside the published networks: the exact levels differ by up to 4e-4 of themselves.
  const auto alpha_bar = [&](int64_t j) {
    const float quarter = static_cast<float>(0.5 * std::numbers::pi) * static_cast<float>(j) / static_cast<float>(m);
    const float sine = float32_sine(quarter / static_cast<float>(c2 + 1));
    return sine * sine;
  };
  std::vector<double> u(static_cast<std::size_t>(m) + 1, 0.0);
  for (int64_t j = m; j > 0; --j) {
    const double below = u[static_cast<std::size_t>(j)];
    const float ratio = std::max(alpha_bar(j - 1) / alpha_bar(j), static_cast<float>(c1));
    u[static_cast<std::size_t>(j - 1)] = std::sqrt((below * below + 1) / ratio - 1);
  }
  return u;
}

SigmaSchedule::SigmaSchedule(const SigmaConfig& config, int64_t steps, const SigmaRange& range) : config_(config) {
  if (steps < 1) throw UsageError("noise levels: needs at least 1 step, got " + std::to_string(steps));
  SigmaConfig::kSigma.check("noise levels", "sigma-min", config.sigma_min);
  SigmaConfig::kSigma.check("noise levels", "sigma-max", config.sigma_max);
  SigmaConfig::kRho.check("noise levels", "rho", config.rho);
  Range{0, 0.999, /*above=*/true}.check("noise levels", "epsilon_s", config.epsilon_s);
  sigma_min_ = std::max(config.sigma_min > 0 ? config.sigma_min : default_sigma_min(config), range.min);
  sigma_max_ = std::min(config.sigma_max > 0 ? config.sigma_max : default_sigma_max(config), range.max);
  if (!(0 < sigma_min_ && sigma_min_ < sigma_max_)) {
    throw UsageError("noise levels: expected 0 < sigma_min < sigma_max within what the model supports, got " +
                     std::to_string(sigma_min_) + " and " + std::to_string(sigma_max_));
  }

  // sigma(epsilon_s) = sigma_min and sigma(1) = sigma_max fix the two numbers of the VP schedule.
  const double log_min = std::log1p(sigma_min_ * sigma_min_);
  const double log_max = std::log1p(sigma_max_ * sigma_max_);
  vp_beta_d_ = 2 * (log_min / config.epsilon_s - log_max) / (config.epsilon_s - 1);
  vp_beta_min_ = log_max - 0.5 * vp_beta_d_;

  std::vector<double> sigmas;
  if (config.discretization == Discretization::kIddpm) {
    sigmas = iddpm_sigmas(config, steps, sigma_min_, sigma_max_);
  } else {
    for (int64_t i = 0; i < steps; ++i) {
      const double u = steps > 1 ? static_cast<double>(i) / static_cast<double>(steps - 1) : 0;
      if (config.discretization == Discretization::kVp) {
        sigmas.push_back(vp_sigma(1 + u * (config.epsilon_s - 1), vp_beta_d_, vp_beta_min_));
      } else if (config.discretization == Discretization::kVe) {
        sigmas.push_back(sigma_max_ * std::pow(sigma_min_ / sigma_max_, u));
      } else {
        const double high = std::pow(sigma_max_, 1 / config.rho);
        const double low = std::pow(sigma_min_, 1 / config.rho);
        sigmas.push_back(std::pow(high + u * (low - high), config.rho));
      }
    }
  }
  for (const double sigma : sigmas) times_.push_back(time_of(range.nearest(sigma)));
  times_.push_back(0);
}

double SigmaSchedule::sigma(double t) const {
  switch (config_.schedule) {
    case NoiseSchedule::kVp:
      return vp_sigma(t, vp_beta_d_, vp_beta_min_);
    case NoiseSchedule::kVe:
      return std::sqrt(t);
    case NoiseSchedule::kLinear:
      break;
  }
  return t;
}

double SigmaSchedule::sigma_derivative(double t) const {
  switch (config_.schedule) {
    case NoiseSchedule::kVp:
      return 0.5 * (vp_beta_min_ + vp_beta_d_ * t) * (sigma(t) + 1 / sigma(t));
    case NoiseSchedule::kVe:
      return 0.5 / std::sqrt(t);
    case NoiseSchedule::kLinear:
      break;
  }
  return 1;
}

double SigmaSchedule::time_of(double sigma) const {
  switch (config_.schedule) {
    case NoiseSchedule::kVp: {
      // The root of beta_d t^2 / 2 + beta_min t = log(1 + sigma^2), in the form that does not cancel at small sigma.
      const double level = std::log1p(sigma * sigma);
      return 2 * level / (vp_beta_min_ + std::sqrt(vp_beta_min_ * vp_beta_min_ + 2 * vp_beta_d_ * level));
    }
    case NoiseSchedule::kVe:
      return sigma * sigma;
    case NoiseSchedule::kLinear:
      break;
  }
  return sigma;
}

double SigmaSchedule::scale(double t) const {
  return config_.scaling == Scaling::kVp ? 1 / std::sqrt(1 + sigma(t) * sigma(t)) : 1;
}

double SigmaSchedule::scale_derivative(double t) const {
  return config_.scaling == Scaling::kVp ? -sigma(t) * sigma_derivative(t) * std::pow(scale(t), 3) : 0;
}

}  // namespace sextant::diffusion
