// Schedules of diffusion in noise levels, x = x_0 + sigma n (Karras et al. 2022).
//
//   dx/dt = (sigma'/sigma + s'/s) x - sigma' s / sigma D(x/s; sigma)        eq. (81)
//
// sigma(t) is the noise level at time t and s(t) the factor the signal is stored with; EDM's own choice is sigma = t, s
// = 1. Schedules are float64 numbers on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/range.h"

namespace sextant::diffusion {

enum class Discretization {
  kVp,     ///< uniform in t of the VP schedule
  kVe,     ///< geometric in sigma^2
  kIddpm,  ///< from the cosine schedule's M levels
  kEdm     ///< sigma^(1/rho) uniform, eq. (5)
};
enum class NoiseSchedule {
  kVp,     ///< sigma(t) = sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1)
  kVe,     ///< sigma(t) = sqrt(t)
  kLinear  ///< sigma(t) = t
};
enum class Scaling {
  kVp,   ///< s(t) = 1 / sqrt(1 + sigma^2)
  kNone  ///< s(t) = 1
};

/// Table 1 of Karras et al. 2022; the defaults are EDM's.
struct SigmaConfig {
  Discretization discretization = Discretization::kEdm;
  NoiseSchedule schedule = NoiseSchedule::kLinear;
  Scaling scaling = Scaling::kNone;
  double sigma_min = 0;  ///< 0: the discretisation's own, 0.002 for EDM
  double sigma_max = 0;  ///< 0: likewise, 80 for EDM
  static constexpr Range kSigma{0, 1e9};
  double rho = 7;  ///< kEdm: larger spends more steps at low noise
  static constexpr Range kRho{0, 100, true};
  double epsilon_s = 1e-3;  ///< kVp: the smallest t, above 0 and below 1
  double c1 = 0.001;        ///< kIddpm: lower bound of a step's alpha
  double c2 = 0.008;        ///< kIddpm: offset of the cosine
  int64_t m = 1000;         ///< kIddpm: levels in the table
};

/// sigma(t), s(t), their derivatives and the times of a sampling run, inside the range that the denoiser was made for.
class SigmaSchedule {
 public:
  /// UsageError for fewer than 1 step, a setting out of its range or an empty range of noise levels.
  SigmaSchedule(const SigmaConfig& config, int64_t steps, const SigmaRange& range);

  double sigma(double t) const;
  double sigma_derivative(double t) const;
  double time_of(double sigma) const;  ///< the inverse of sigma(t)
  double scale(double t) const;
  double scale_derivative(double t) const;

  int64_t num_steps() const { return static_cast<int64_t>(times_.size()) - 1; }
  const std::vector<double>& times() const { return times_; }  ///< num_steps() + 1, falling, the last one 0
  double sigma_min() const { return sigma_min_; }
  double sigma_max() const { return sigma_max_; }

 private:
  SigmaConfig config_;
  double sigma_min_ = 0;
  double sigma_max_ = 0;
  double vp_beta_d_ = 0;  ///< of the VP schedule through both ends of the range
  double vp_beta_min_ = 0;
  std::vector<double> times_;
};

/// The noise levels u_0 > u_1 > ... > u_M = 0 of the cosine schedule, M + 1 of them (Karras et al. 2022, Table 1).
/// UsageError for an M below 1 or over 1e6, and a constant below 0.
std::vector<double> iddpm_levels(int64_t m, double c1, double c2);

}  // namespace sextant::diffusion
