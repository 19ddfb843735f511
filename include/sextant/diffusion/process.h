// Discrete-time Gaussian diffusion: its schedules, its arrays and the conversions between what networks predict.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

// Noise schedules of discrete-time diffusion, and which of their timesteps a shorter run keeps (Ho et al. 2020; Nichol
// & Dhariwal 2021). Float64 numbers on the host.

/// How the noise grows: beta_t linearly (Ho et al. 2020), or abar_t as a squared cosine (Nichol & Dhariwal 2021).
enum class BetaSchedule { kLinear, kCosine };

/// beta_t in (0, 1] for T steps. UsageError for T < 1, and for a linear schedule with T < 20, whose last betas would
/// exceed 1.
std::vector<double> betas(BetaSchedule schedule, int64_t T);

/// The timesteps that a respacing keeps, ascending: "250" (evenly, both ends), "10,10,5" (the same in equal sections of
/// T) or "ddim50" (the smallest integer stride that gives exactly 50). Positions are rounded half to even after adding
/// the stride up, as the published samplers do. "last" keeps T - 1 alone, where x_T is pure noise and one step leads to
/// x0; "1" keeps 0, as they do. UsageError where that cannot be had.
std::vector<int64_t> space_timesteps(int64_t T, const std::string& sections);

/// A shorter process: betas with the same abar at the kept timesteps.
struct Respaced {
  std::vector<double> betas;
  std::vector<int64_t> timestep_map;  ///< original timestep of each respaced step
};
Respaced respace(const std::vector<double>& betas, const std::vector<int64_t>& kept);

// The process: the arrays of a (respaced) process, and conversions between epsilon, x0, velocity
// and mean (Ho et al. 2020; Nichol & Dhariwal 2021).
//
//   q(x_t | x_0)         = N(sqrt(abar_t) x_0, (1 - abar_t) I),  abar_t = prod_s (1 - beta_s)
//   p(x_{t-1} | x_t)     = N(mean, variance), from a network's output
//
// Images are [N, C, H, W], float32 or float64, any device; results keep their dtype and device. Schedule arithmetic is
// float64. "step" is the respaced index, 0 the cleanest; "t" is the timestep that a network receives. A step that there
// is not is a UsageError. Everything here is immutable after construction, differentiable in its images and callable
// from any thread.

/// How much signal and noise there is: x = alpha x_0 + sigma n, n ~ N(0, I).
struct NoiseLevel {
  double alpha = 1;
  double sigma = 0;

  double lambda() const { return std::log(alpha / sigma); }  ///< half the log signal-to-noise ratio
};

/// What a network predicts; kVelocity is v = sqrt(abar) noise - sqrt(1 - abar) x_0 (Salimans & Ho 2022).
enum class MeanType { kEpsilon, kStartX, kPreviousX, kVelocity };
enum class VarianceType { kFixedSmall, kFixedLarge, kLearned, kLearnedRange };

struct ProcessConfig {
  BetaSchedule schedule = BetaSchedule::kLinear;
  int64_t steps = 1000;   ///< T
  std::string respacing;  ///< see space_timesteps(); "" keeps all T
  MeanType mean = MeanType::kEpsilon;
  VarianceType variance = VarianceType::kLearnedRange;
  bool rescale_timesteps = false;  ///< networks see t 1000/T
  bool clip = true;                ///< x0 clipped to [-1, 1]
};

/// One reverse step's distribution p(x_{t-1} | x_t).
struct Prediction {
  Tensor x0;  ///< predicted x0, clipped where the process clips
  Tensor mean;
  Tensor variance;      ///< broadcastable to mean
  Tensor log_variance;  ///< likewise; finite also at step 0, where a fixed small variance is 0
};

/// Which step: one for the whole batch, or an int64 tensor [N] with one for each image, as training draws them.
class Steps {
 public:
  Steps(int64_t step) : step_(step) {}               // NOLINT(google-explicit-constructor)
  Steps(Tensor steps) : steps_(std::move(steps)) {}  // NOLINT(google-explicit-constructor)
  bool per_image() const { return steps_.defined(); }
  int64_t one() const { return step_; }  ///< the step of the whole batch

  /// The index of each of n images, [n] int64 on the CPU. ShapeError when this holds another number of them.
  Tensor indices(int64_t n) const;
  /// table[step] of the one step. UsageError outside the table.
  double in(const std::vector<double>& table) const;
  /// table[step], ready to multiply `images`: 0-D, or [N, 1, 1, 1]. UsageError outside the table.
  Tensor of(const std::vector<double>& table, const Tensor& images) const;

 private:
  int64_t step_ = 0;
  Tensor steps_;
};

class Process {
 public:
  explicit Process(const ProcessConfig& config);
  /// From betas of an arbitrary schedule and the original timesteps they stand for; `config.steps` is the original T.
  /// UsageError for fewer than 2 steps or a beta outside (0, 1].
  Process(std::vector<double> betas, std::vector<int64_t> timestep_map, ProcessConfig config);

  /// The process that keeps of this one's steps those of space_timesteps(num_steps(), sections).
  Process respaced(const std::string& sections) const;
  /// The same steps for a network that predicts `mean`.
  Process predicting(MeanType mean) const;

  int64_t num_steps() const { return static_cast<int64_t>(betas_.size()); }
  const ProcessConfig& config() const { return config_; }

  double beta(int64_t step) const { return entry(betas_, step); }
  double abar(int64_t step) const { return entry(abar_, step); }  ///< alphas_cumprod
  double abar_prev(int64_t step) const {
    return entry(abar_prev_, step);
  }  ///< abar of the next cleaner step; 1 at step 0
  double sqrt_abar(int64_t step) const { return entry(sqrt_abar_, step); }
  double sqrt_one_minus_abar(int64_t step) const { return entry(sqrt_one_minus_abar_, step); }
  /// The variance of q(x_{t-1} | x_t, x_0): 0 at step 0, where its clipped logarithm repeats step 1's.
  double posterior_variance(int64_t step) const { return entry(posterior_variance_, step); }
  double posterior_mean_coef1(int64_t step) const { return entry(posterior_mean_coef1_, step); }  ///< of x_0
  int64_t timestep(int64_t step) const { return entry(timestep_map_, step); }                     ///< the original one

  /// {sqrt(abar), sqrt(1 - abar)}
  NoiseLevel level(int64_t step) const { return {sqrt_abar(step), sqrt_one_minus_abar(step)}; }

  /// What the network receives for `images`: their original timestep, [N] int64, or times 1000/T in the images' dtype
  /// if rescaled.
  Tensor model_time(const Steps& step, const Tensor& images) const;
  /// Each number of model_time(), of one step for all images.
  double time(int64_t step, const Tensor& images) const;

  /// x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise
  Tensor q_sample(const Tensor& x0, const Steps& step, const Tensor& noise) const;
  /// mean of q(x_{t-1} | x_t, x_0)
  Tensor posterior_mean(const Tensor& x0, const Tensor& x_t, const Steps& step) const;
  /// log variance of it, clipped, ready to combine with `images`
  Tensor posterior_log_variance(const Steps& step, const Tensor& images) const;
  Tensor x0_from_epsilon(const Tensor& x_t, const Steps& step, const Tensor& epsilon) const;
  Tensor epsilon_from_x0(const Tensor& x_t, const Steps& step, const Tensor& x0) const;
  /// v = sqrt(abar) noise - sqrt(1 - abar) x_0, and back: x_0 = sqrt(abar) x_t - sqrt(1 - abar) v
  Tensor velocity(const Tensor& x0, const Steps& step, const Tensor& noise) const;
  Tensor x0_from_velocity(const Tensor& x_t, const Steps& step, const Tensor& v) const;
  /// p(x_{t-1} | x_t) from a network's raw output: [N, C, H, W] with a fixed variance, [N, 2C, H, W] with a learned
  /// one, else ShapeError.
  Prediction p_mean_variance(const Tensor& output, const Tensor& x_t, const Steps& step) const {
    return p_mean_variance(output, x_t, step, config_.clip);
  }
  Prediction p_mean_variance(const Tensor& output, const Tensor& x_t, const Steps& step, bool clip) const;

 private:
  Process(Respaced respaced, ProcessConfig config);

  static double entry(const std::vector<double>& table, int64_t step);
  static int64_t entry(const std::vector<int64_t>& table, int64_t step);

  ProcessConfig config_;
  std::vector<double> betas_, log_betas_, abar_, abar_prev_, sqrt_abar_, sqrt_one_minus_abar_, sqrt_recip_abar_,
      sqrt_recipm1_abar_, posterior_variance_, posterior_log_variance_, posterior_mean_coef1_, posterior_mean_coef2_,
      fixed_large_variance_, fixed_large_log_variance_;
  std::vector<int64_t> timestep_map_;
};

// From a diffusion model's pixels to bytes.

enum class Rounding {
  kOpenAi,  ///< trunc((x + 1) 127.5), guided-diffusion's
  kEdm,     ///< trunc(127.5 x + 128), EDM's: the nearest byte
};

/// Images in [-1, 1] as bytes, values beyond clipped: same shape, uint8.
Tensor to_uint8(const Tensor& x, Rounding rounding = Rounding::kOpenAi);

}  // namespace sextant::diffusion
