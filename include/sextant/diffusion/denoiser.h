// What samplers draw from, models made of models, and what models are trained on.
#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

#include "sextant/diffusion/process.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant {
class Stopwatch;  // progress.h
}

namespace sextant::diffusion {

// What samplers draw from: a network, or an exact mixture, with what it counts in.
//
//   x = alpha x_0 + sigma n        at every step of a run
//
// A denoiser counts timesteps, alpha = sqrt(abar_t) and sigma = sqrt(1 - abar_t) (process.h), or noise levels, alpha =
// 1 and any sigma (Karras et al. 2022). Both estimate E[x_0 | x].

/// A network as a function of x [N, C, H, W], t [N] and labels y [N] int64. One that counts timesteps receives them as
/// t and answers what its process says, [N, C or 2C, H, W]; one that counts noise levels receives sigma and answers
/// D(x; sigma), preconditioned.
class Model {
 public:
  /// The t of all images where it is one and the caller knows it, so that whoever decides by it need not wait for a GPU
  /// to tell.
  using Time = std::optional<double>;

  using Function = std::function<Tensor(const Tensor& x, const Tensor& t, const Tensor& y, Time time)>;

  Model() = default;  ///< none
  /// A function of (x, t, y, time) or of (x, t, y).
  template <class Given>
  requires(!std::same_as<Given, Model>) &&
      (std::is_convertible_v<Given, Function> ||
       std::is_invocable_r_v<Tensor, Given&, const Tensor&, const Tensor&, const Tensor&>)
          Model(
              Given given) {  // NOLINT(google-explicit-constructor): so that a lambda stands where a model is asked for
    if constexpr (requires { given == nullptr; }) {
      if (given == nullptr) return;  // a std::function that holds none
    }
    if constexpr (std::is_convertible_v<Given, Function>) {
      function_ = std::move(given);
    } else {
      function_ = [given = std::move(given)](const Tensor& x, const Tensor& t, const Tensor& y,
                                             Time) mutable -> Tensor { return given(x, t, y); };
    }
  }

  /// UsageError where there is none.
  Tensor operator()(const Tensor& x, const Tensor& t, const Tensor& y, Time time = std::nullopt) const {
    if (!function_) throw UsageError("model: expected a function of x, t and y, got none");
    return function_(x, t, y, time);
  }
  explicit operator bool() const { return static_cast<bool>(function_); }

 private:
  Function function_;
};

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
  /// D(x; sigma), shaped and typed as x. ShapeError where the model answers with another shape.
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

// Models made of models: classifier-free guidance, autoguidance, guidance in an interval, and time keeping.
//
// All work alike on networks that count timesteps and on those that count noise levels.

/// Classifier-free guidance: one call at twice the batch, labels `y` and the null class, mixed as u + scale (c - u) on
/// the first `guided_channels` channels of the output (epsilon's); the others, variance among them, stay the
/// conditional ones. scale 1 is the conditional model at its own price.
Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels);

/// Autoguidance (Karras et al. 2024): away from `bad`, a smaller or less trained model of the same kind, bad + scale
/// (good - bad) on the first `guided_channels` channels; the others are those of `good`. It is classifier-free guidance
/// where `bad` is the same network without labels.
Model autoguidance(Model good, Model bad, double scale, int64_t guided_channels);

/// `inside` for the images whose t lies in the interval, `outside` for the others; only the ones needed are called.
/// Guidance confined to an interval of noise levels (Kynkaanniemi et al. 2024) is in_interval(classifier_free(model,
/// ...), model, interval).
Model in_interval(Model inside, Model outside, Interval interval);

/// The interval of timesteps, as a network of `process` receives them, whose sigma = sqrt((1 - abar)/abar) lies in
/// `sigmas`. UsageError where there is none.
Interval timesteps_between(const ProcessConfig& process, Interval sigmas);

/// `model` with one label for every image.
Model labelled(Model model, int64_t label);

/// `watch` is given the time of each call.
Denoiser timed(const Denoiser& denoiser, std::shared_ptr<Stopwatch> watch);

// Training losses of diffusion models, one number per image or pixel: differentiable in the model's output.

/// What a discrete-time model is trained on (Nichol & Dhariwal 2021). "vb" is the variational bound's term in bits per
/// dimension: KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), or at step 0 the likelihood of the 256-level image.
enum class Loss {
  kMse,          ///< squared error of what the network predicts, plus vb of a learned variance
  kRescaledMse,  ///< the same with vb times T/1000
  kKl,           ///< vb alone
  kRescaledKl,   ///< vb times T: an estimate of the whole bound
};

struct LossTerms {
  Tensor loss;  ///< [N], what to minimise
  Tensor mse;   ///< [N], undefined for kKl and kRescaledKl
  Tensor vb;    ///< [N], undefined where the variance is fixed and for kKl and kRescaledKl
};

/// The loss of `model` at x_t = q_sample(x0, steps, noise): x0 [N, C, H, W] in [-1, 1], steps [N] int64, y [N] labels,
/// noise like x0. In the MSE losses vb teaches the variance only: the mean is detached there. x0 predictions are not
/// clipped. ShapeError for answers of another shape than the process asks for.
LossTerms training_loss(const Process& process, const Model& model, const Tensor& x0, const Tensor& steps,
                        const Tensor& y, const Tensor& noise, Loss loss);

/// What an EDM denoiser is trained on (Karras et al. 2022, Table 1, last column).
struct EdmLoss {
  double p_mean = -1.2;  ///< of ln sigma
  double p_std = 1.2;
  double sigma_data = 0.5;  ///< deviation of the data, above 0
};

struct EdmLossTerms {
  Tensor sigma;   ///< [N], e^(p_mean + p_std n)
  Tensor weight;  ///< [N], (sigma^2 + sigma_data^2)/(sigma sigma_data)^2
  Tensor loss;    ///< like x0, weight (D(x0 + sigma noise; sigma) - x0)^2; its sum over a batch is minimised
};

/// The loss of the denoiser D = `model`: x0 [N, C, H, W] in [-1, 1], y [N] labels, noise like x0, `n` [N] normal
/// numbers. ShapeError for other shapes, the model's answer too.
EdmLossTerms edm_loss(const Model& model, const Tensor& x0, const Tensor& y, const Tensor& noise, const Tensor& n,
                      const EdmLoss& loss = {});

}  // namespace sextant::diffusion
