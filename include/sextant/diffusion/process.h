// Discrete-time Gaussian diffusion: noise schedules, respacing, conversions between epsilon, x0 and mean (Ho et al.
// 2020; Nichol & Dhariwal 2021), and the Denoiser that samplers draw from.
//
//   q(x_t | x_0)         = N(sqrt(abar_t) x_0, (1 - abar_t) I),  abar_t = prod_s (1 - beta_s)
//   p(x_{t-1} | x_t)     = N(mean, variance), from a network's output
//
// Images are [N, C, H, W], float32 or float64, any device; results keep their dtype and device. Schedule arithmetic is
// float64. "step" is the respaced index, 0 the cleanest; "t" is the timestep that a network receives. Everything here
// is immutable after construction, differentiable in its images and callable from any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

/// "linear" or "cosine": beta_t in (0, 1] for T steps. UsageError for another name, for T < 1, and for a linear
/// schedule with T < 20, whose last betas would exceed 1.
std::vector<double> named_betas(const std::string& schedule, int64_t T);

/// The timesteps that a respacing keeps, ascending: "250" (evenly, both ends), "10,10,5" (the same in equal sections of
/// T) or "ddim50" (the smallest integer stride that gives exactly 50). Positions are rounded half to even after adding
/// the stride up, as the published samplers do. UsageError where that cannot be had.
std::vector<int64_t> space_timesteps(int64_t T, const std::string& sections);

/// A shorter process: betas with the same abar at the kept timesteps.
struct Respaced {
  std::vector<double> betas;
  std::vector<int64_t> timestep_map;  ///< original timestep of each respaced step
};
Respaced respace(const std::vector<double>& betas, const std::vector<int64_t>& kept);

/// What a network predicts; kVelocity is v = sqrt(abar) noise - sqrt(1 - abar) x_0 (Salimans & Ho 2022).
enum class MeanType { kEpsilon, kStartX, kPreviousX, kVelocity };
enum class VarianceType { kFixedSmall, kFixedLarge, kLearned, kLearnedRange };

struct ProcessConfig {
  std::string schedule = "linear";
  int64_t steps = 1000;   ///< T
  std::string respacing;  ///< "" keeps all T
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

  /// The index of each of n images, [n] int64 on the CPU. ShapeError when this holds another number of them.
  Tensor indices(int64_t n) const;
  /// table[step], ready to multiply `images`: 0-D, or [N, 1, 1, 1]. UsageError outside the table.
  Tensor of(const std::vector<double>& table, const Tensor& images) const;

 private:
  int64_t step_ = 0;
  Tensor steps_;
};

/// The arrays of a (respaced) process and its formulas.
class Process {
 public:
  explicit Process(const ProcessConfig& config);
  /// From betas of an arbitrary schedule and the original timesteps they stand for; `config.steps` is the original T.
  /// UsageError for fewer than 2 steps or a beta outside (0, 1].
  Process(std::vector<double> betas, std::vector<int64_t> timestep_map, ProcessConfig config);

  int64_t num_steps() const { return static_cast<int64_t>(betas.size()); }
  const ProcessConfig& config() const { return config_; }

  /// What the network receives for `images`: their original timestep, [N] int64, or times 1000/T in the images' dtype
  /// if rescaled.
  Tensor model_time(const Steps& step, const Tensor& images) const;

  /// alphas_cumprod_prev[0] = 1, alphas_cumprod_next[last] = 0. posterior_variance[0] is 0; its clipped logarithm
  /// repeats that of step 1 there, and so does fixed_large.
  std::vector<double> betas, log_betas, alphas_cumprod, alphas_cumprod_prev, alphas_cumprod_next, sqrt_alphas_cumprod,
      sqrt_one_minus_alphas_cumprod, log_one_minus_alphas_cumprod, sqrt_recip_alphas_cumprod,
      sqrt_recipm1_alphas_cumprod, posterior_variance, posterior_log_variance_clipped, posterior_mean_coef1,
      posterior_mean_coef2, fixed_large_variance, fixed_large_log_variance;
  std::vector<int64_t> timestep_map;  ///< original timestep of each respaced step

  /// x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise
  Tensor q_sample(const Tensor& x0, const Steps& step, const Tensor& noise) const;
  /// mean of q(x_{t-1} | x_t, x_0)
  Tensor posterior_mean(const Tensor& x0, const Tensor& x_t, const Steps& step) const;
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
  ProcessConfig config_;
};

/// What samplers draw from: a network with its process, or an exact mixture.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  virtual std::vector<int64_t> sample_shape() const = 0;  ///< [C, H, W]
  virtual const Process& process() const = 0;
  virtual Prediction predict(const Tensor& x, int64_t step, const Tensor& y) const = 0;
};

/// A raw network output as a function: (x [N, C, H, W], t [N], y [N]) -> [N, C or 2C, H, W].
using Model = std::function<Tensor(const Tensor& x, const Tensor& t, const Tensor& y)>;

/// A network's output through its process.
class ModelDenoiser : public Denoiser {
 public:
  ModelDenoiser(Model model, Process process, std::vector<int64_t> sample_shape);
  std::vector<int64_t> sample_shape() const override { return shape_; }
  const Process& process() const override { return process_; }
  Prediction predict(const Tensor& x, int64_t step, const Tensor& y) const override;

 private:
  Model model_;
  Process process_;
  std::vector<int64_t> shape_;
};

/// Classifier-free guidance as a Model: one call at twice the batch, labels `y` and the null class, mixed as u + scale
/// (c - u) on the first `guided_channels` channels of the output (epsilon's); the others, variance among them, stay the
/// conditional ones. scale 1 is the conditional model at its own price.
Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels);

/// Autoguidance (Karras et al. 2024) as a Model: away from `bad`, a smaller or less trained model of the same kind,
/// bad + scale (good - bad) on the first `guided_channels` channels; the others are those of `good`.
Model autoguidance(Model good, Model bad, double scale, int64_t guided_channels);

/// `inside` for the images with low <= t <= high, `outside` for the others; only the ones needed are called. Guidance
/// confined to an interval of noise levels (Kynkaanniemi et al. 2024) is in_interval(classifier_free(model, ...),
/// model, low, high).
Model in_interval(Model inside, Model outside, double low, double high);

enum class Rounding {
  kOpenAi,  ///< trunc((x + 1) 127.5), guided-diffusion's
  kEdm,     ///< trunc(127.5 x + 128), EDM's: the nearest byte
};

/// Images in [-1, 1] as bytes, values beyond clipped: same shape, uint8.
Tensor to_uint8(const Tensor& x, Rounding rounding = Rounding::kOpenAi);

}  // namespace sextant::diffusion
