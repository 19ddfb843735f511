// Discrete-time Gaussian diffusion: noise schedules, respacing, conversions between epsilon, x0 and mean (Ho et al. 2020;
// Nichol & Dhariwal 2021), and the Denoiser that samplers draw from.
//
// Schedule arithmetic is float64. Images keep their dtype, float32 or float64. "step" is the respaced index; "t" is
// the timestep that a network receives.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sextant/tensor.h"

namespace sextant::diffusion {

/// "linear" or "cosine": beta_t for T steps. UsageError for another name or an invalid T.
std::vector<double> named_betas(const std::string& schedule, int64_t T);

/// The timesteps that a respacing keeps, ascending: "250", "10,10,5" (sections), "ddim50" (integer stride that gives exactly 50).
/// UsageError where that cannot be had.
std::vector<int64_t> space_timesteps(int64_t T, const std::string& sections);

enum class MeanType { kEpsilon, kStartX, kPreviousX };
enum class VarianceType { kFixedSmall, kFixedLarge, kLearned, kLearnedRange };

struct ProcessConfig {
  std::string schedule = "linear";
  int64_t steps = 1000;          ///< T
  std::string respacing;         ///< "" keeps all T
  MeanType mean = MeanType::kEpsilon;
  VarianceType variance = VarianceType::kLearnedRange;
  bool rescale_timesteps = false;  ///< networks see t 1000/T
  bool clip = true;                ///< x0 clipped to [-1, 1]
};

/// One reverse step's distribution p(x_{t-1} | x_t).
struct Prediction {
  Tensor x0;            ///< predicted x0, clipped where the process clips
  Tensor mean;
  Tensor variance;      ///< broadcastable to mean
  Tensor log_variance;
};

/// The arrays of a (respaced) process and its formulas. Immutable.
class Process {
 public:
  explicit Process(const ProcessConfig& config);
  /// From betas of an arbitrary schedule and the original timesteps they stand for.
  Process(std::vector<double> betas, std::vector<int64_t> timestep_map, ProcessConfig config);

  int64_t num_steps() const { return static_cast<int64_t>(betas.size()); }
  const ProcessConfig& config() const { return config_; }
  /// What the network receives at respaced `step`: the original timestep, times 1000/T if rescaled; [n]
  Tensor model_time(int64_t step, int64_t n, at::Device device) const;

  std::vector<double> betas, alphas_cumprod, alphas_cumprod_prev, alphas_cumprod_next, sqrt_alphas_cumprod,
      sqrt_one_minus_alphas_cumprod, log_one_minus_alphas_cumprod, sqrt_recip_alphas_cumprod, sqrt_recipm1_alphas_cumprod,
      posterior_variance, posterior_log_variance_clipped, posterior_mean_coef1, posterior_mean_coef2,
      fixed_large_variance, fixed_large_log_variance;
  std::vector<int64_t> timestep_map;  ///< original timestep of each respaced step

  /// q(x_t | x_0) with the given noise.
  Tensor q_sample(const Tensor& x0, int64_t step, const Tensor& noise) const;
  /// mean of q(x_{t-1} | x_t, x_0)
  Tensor posterior_mean(const Tensor& x0, const Tensor& x_t, int64_t step) const;
  Tensor x0_from_epsilon(const Tensor& x_t, int64_t step, const Tensor& epsilon) const;
  Tensor epsilon_from_x0(const Tensor& x_t, int64_t step, const Tensor& x0) const;
  /// p(x_{t-1} | x_t) from a network's raw output [N, C or 2C, H, W].
  Prediction p_mean_variance(const Tensor& output, const Tensor& x_t, int64_t step) const;

 private:
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

/// Classifier-free guidance as a Model: one call at twice the batch, labels `y` and the null class, mixed as u + scale (c - u)
/// on the first `guided_channels` channels of the output (epsilon's); the others, variance among them, stay the conditional ones.
Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels);

}  // namespace sextant::diffusion
