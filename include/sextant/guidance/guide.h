// A guide: where, how strongly and by what it pulls.
#pragma once

#include <functional>

#include "sextant/guidance/classifier.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant {
class FiniteWatch;
}

namespace sextant::guidance {

// Classifier-free guidance, and every guidance that mixes two predictions.

/// u + s (c - u) of a conditional and an unconditional prediction of one shape; s = 1 is exactly the conditional one.
/// Ho & Salimans 2021. ShapeError for two shapes, UsageError unless the scale is finite.
Tensor classifier_free(const Tensor& conditional, const Tensor& unconditional, double scale);

// Tilt: samples of a batch weigh more or less by their scores. Pure functions, callable from any thread; ShapeError
// unless scores are floating point [N], N > 0; UsageError unless `tilt` is finite. Equation numbers are those of Javid
// et al. 2025 (arXiv 2511.05844).

enum class TiltForm {
  kMeanPreserving,  ///< N w_i: the weights average to 1, so t = 0 is plain guidance
  kSumToOne,        ///< w_i as printed
};

/// Weight of each sample of the batch, w = softmax(t S) (times N): [N]       eqs. (15), (36)-(42)
Tensor tilt_weights(const Tensor& scores, double tilt, TiltForm form = TiltForm::kMeanPreserving);

/// (1/t) log mean exp(t S): [1]; the mean at t = 0             eq. (36)
Tensor tilted_score(const Tensor& scores, double tilt);

// The guide: one vector-Jacobian product through the classifier per step, times a schedule.
//
//   mean shift (DDPM)   mu + gamma_t g         g = scale dS/dx, gamma_t = variance_t + add_t
//   score shift (DDIM)  eps - sqrt(1 - abar_t) g (1 + gamma_factor sin(pi t/T)), times sqrt(abar_t) for g at x0
//   shift of x0         x0 + Delta, Delta from steps of ascent on S at x0 (backward universal guidance)
//
// add_t = gamma_factor sin(pi t/T) max(variance so far), t and T counting respaced steps (Ma et al. 2023, section 4.4).

/// What the sampler knows at one step.
struct GuideInput {
  Tensor x;               ///< x_t [N, C, H, W]
  Tensor t;               ///< [N] timesteps as the networks receive them
  Tensor x0;              ///< predicted x0, clipped where the process clips
  Tensor variance;        ///< of p(x_{t-1} | x_t), broadcastable to x
  Tensor y;               ///< [N] int64 target classes
  int64_t step = 0;       ///< respaced index, num_steps-1 first, 0 last
  int64_t num_steps = 0;  ///< respaced count
  double alpha_cumprod = 1;
  SampleIds ids;                                        ///< which samples the rows are
  std::function<Tensor(const Tensor& x_t)> predict_x0;  ///< differentiable; for Input::kThroughDenoiser
  FiniteWatch* watch = nullptr;  ///< of the samplers' loops; without one, NaN is looked for at once
};

/// What the guide answers.
struct Guidance {
  Tensor gradient;  ///< g = scale (times tilt weight, times entropy-driven scale) dS/dx [N, C, H, W]
  Tensor score;     ///< S [N]
  Tensor weight;    ///< tilt weight of each sample [N]; ones without tilt
  Tensor logits;    ///< f [N, K]
};

/// Where the gradient is taken.
enum class Input {
  kX0,              ///< at the predicted (clipped) x0, as both papers do; no Jacobian of the denoiser
  kNoisy,           ///< at x_t, by a noise-aware classifier (Dhariwal & Nichol 2021)
  kThroughDenoiser  ///< at x_t, through the denoiser's own Jacobian: d S(x0(x_t)) / d x_t
};

struct GuideConfig {
  double tilt = 0;  ///< 0 is off: every sample weighs 1, whatever the form
  static constexpr Range kTilt{-100, 100};
  TiltForm tilt_form = TiltForm::kMeanPreserving;
  int64_t tilt_group = 0;  ///< samples that share one tilt, consecutive in the batch; 0 is the whole batch. Batches
                           ///< that are multiples of it give images that do not depend on the batch size
  static constexpr Range kTiltGroup{0, 1e6};
  double scale = 1;
  static constexpr Range kScale{-1e4, 1e4};
  double gamma_factor = 0.3;  ///< height of the schedule's sine: a share of the largest variance (DDPM) or of the shift
  static constexpr Range kGammaFactor{0, 100};
  GammaMax gamma_max = GammaMax::kPerSample;
  bool entropy_driven = false;  ///< multiply by log K / H(p) (Zheng et al. 2022)
  int64_t entropy_classes = 0;  ///< replaces that K; 0 is the classifier's own, the published code has 1000
  Input input = Input::kX0;
  Interval interval{0, 1};  ///< guide only where it contains step/(num_steps-1), in [0, 1]; 1 is the noisiest step
                            ///< (Kynkaanniemi et al. 2024)
  static constexpr Range kInterval{0, 1};
  int64_t backward_steps = 0;  ///< steps of gradient ascent on S at x0 in each step (Bansal et al. 2023); 0 is off
  static constexpr Range kBackwardSteps{0, 1e4};
  double backward_lr = 0.1;  ///< their step size
  static constexpr Range kBackwardLr{0, 1e4, true};
};

/// UsageError naming the first setting that is out of range. Guide's constructor calls it; a caller may do
/// so before it loads any network.
void check_config(const GuideConfig& config);

/// Steers one trajectory at a time: `begin` forgets the running maximum of the last one. Threads that draw at once have
/// a guide each; these may share classifier and score.
class Guide {
 public:
  /// `score` is what is climbed: a function of your own, or one by name (score.h). UsageError when classifier or
  /// score is missing, or a setting out of range.
  Guide(Classifier classifier, ScoreFunction score, GuideConfig config = {});

  void begin() { max_variance_ = checked_labels_ = Tensor(); }

  /// False outside the interval: nothing is to be computed or added at that step.
  bool active(int64_t step, int64_t num_steps) const;

  /// One forward and one backward pass through the classifier. NumericError, naming the step, when logits or gradient
  /// are not finite: at once, or when in.watch reads it; ShapeError when the score is not [N] with a gradient [N, K];
  /// UsageError in inference mode.
  Guidance operator()(const GuideInput& in) const;

  /// Backward universal guidance, eq. (7) of Bansal et al. 2023: Delta [N, C, H, W] with S(x0 + Delta) > S(x0), found
  /// from 0 by backward_steps times Delta += backward_lr dS/dx0. The scale has no part in it. Undefined with 0 steps.
  Tensor backward(const GuideInput& in) const;

  /// gamma_t [N or 1, ...], broadcastable to x; updates the running maximum. Call once per step, active or not.
  Tensor gamma(const GuideInput& in);

  /// The factor of the score shift: 1 + gamma_factor sin(pi t/T).
  double score_factor(int64_t step, int64_t num_steps) const;

  const GuideConfig& config() const { return config_; }
  const Classifier& classifier() const { return classifier_; }

 private:
  Guidance evaluate_at(Input where, const GuideInput& in, double scale) const;

  Classifier classifier_;
  ScoreFunction score_;
  GuideConfig config_;
  Tensor max_variance_;            ///< the running maximum, [N] or [1]
  mutable Tensor checked_labels_;  ///< of this trajectory, on a GPU: their range is read once, not at every step
};

}  // namespace sextant::guidance
