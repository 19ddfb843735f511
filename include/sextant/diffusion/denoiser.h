// What samplers draw from: a network, or an exact mixture, with what it counts in.
//
//   x = alpha x_0 + sigma n        at every step of a run
//
// A denoiser counts timesteps, alpha = sqrt(abar_t) and sigma = sqrt(1 - abar_t) (process.h), or noise levels, alpha =
// 1 and any sigma (Karras et al. 2022). Both estimate E[x_0 | x].
#pragma once

#include <functional>
#include <limits>
#include <variant>
#include <vector>

#include "sextant/diffusion/process.h"
#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

/// A network as a function of x [N, C, H, W], t [N] and labels y [N] int64. One that counts timesteps receives them as
/// t and answers what its process says, [N, C or 2C, H, W]; one that counts noise levels receives sigma and answers
/// D(x; sigma), preconditioned.
using Model = std::function<Tensor(const Tensor& x, const Tensor& t, const Tensor& y)>;

enum class Counts { kTimesteps, kNoiseLevels };

/// The noise levels that a denoiser was made for.
struct SigmaRange {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  std::function<double(double sigma)> round;  ///< to the nearest level that it knows; empty where it knows all

  double nearest(double sigma) const { return round ? round(sigma) : sigma; }
};

/// Copies share what the model holds. Callable from any thread if the model is.
class Denoiser {
 public:
  /// `sample_shape` [C, H, W]
  Denoiser(Model model, Process process, std::vector<int64_t> sample_shape);
  Denoiser(Model model, SigmaRange range, std::vector<int64_t> sample_shape);

  const std::vector<int64_t>& sample_shape() const { return sample_shape_; }
  const Model& model() const { return model_; }
  Counts counts() const;

  /// The process whose timesteps it counts. UsageError where it counts noise levels, also for predict().
  const Process& process() const;
  /// p(x_{t-1} | x_t)
  Prediction predict(const Tensor& x, int64_t step, const Tensor& y) const;

  /// The noise levels that it was made for. UsageError where it counts timesteps, also for denoise().
  const SigmaRange& range() const;
  /// D(x; sigma), shaped and typed as x
  Tensor denoise(const Tensor& x, double sigma, const Tensor& y) const;

  /// The same with another model.
  Denoiser with(Model model) const;
  /// The same at fewer timesteps: Process::respaced().
  Denoiser respaced(const std::string& sections) const;

 private:
  Model model_;
  std::variant<Process, SigmaRange> levels_;
  std::vector<int64_t> sample_shape_;
};

}  // namespace sextant::diffusion
