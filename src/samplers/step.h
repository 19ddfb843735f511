// What every sampling loop does around its own update.
#pragma once

#include <optional>

#include "sextant/samplers/samplers.h"

namespace sextant::samplers {

/// Throws NumericError "<sampler>: ..." naming the step and the first image of x [N, ...] that is not finite.
void check_finite(const char* sampler, const Tensor& x, int64_t step);

/// What the guide needs to know at `step`. Refers to `denoiser` and `labels`: use it within the step.
guidance::GuideInput guide_input(const diffusion::Denoiser& denoiser, const diffusion::Prediction& prediction,
                                 const Tensor& x, int64_t step, const Tensor& labels, const Tensor& targets,
                                 const SampleIds& ids);

/// A noise level as the exponential integrators see it.
struct Level {
  double alpha;   ///< sqrt(abar)
  double sigma;   ///< sqrt(1 - abar)
  double lambda;  ///< log(alpha / sigma)
};
Level level_of(const diffusion::Process& process, int64_t step);

/// x0 with the guide's shift of the score; the guide's answer where it was active.
struct GuidedX0 {
  Tensor x0;
  std::optional<guidance::Guidance> guidance;
  const guidance::Guidance* get_guidance() const { return guidance ? &*guidance : nullptr; }
};

/// eps' = eps - sqrt(1 - abar) f g, so x0' = x0 + (1 - abar)/sqrt(abar) f g, with f = Guide::score_factor, times
/// sqrt(abar) for a gradient at x0; backward guidance adds its Delta. The shifted x0 is not clipped again: that would
/// undo the shift where it matters.
GuidedX0 predict_guided(const diffusion::Denoiser& denoiser, const guidance::Guide* guide, const Tensor& x,
                        int64_t step, const Tensor& labels, const Tensor& targets, const SampleIds& ids);

/// The draws of a step that a run makes `recurrence` times ("time travel"): pass 0 has those of a plain run, and each
/// pass its own, so that neither the batch nor the number of passes changes what an earlier pass saw.
class Passes {
 public:
  /// UsageError for a recurrence below 1.
  Passes(const char* sampler, const diffusion::Process& process, Noise& noise, int64_t recurrence);
  int64_t count() const { return count_; }

  /// The noise that pass `pass` of step t adds.
  Tensor noise(int64_t t, int64_t pass) const { return noise_.at_step(t + 2 * pass * num_steps_); }
  /// What pass `pass` of step t starts from. Pass 0: x itself. The others carry their predecessor's x_{t-1} back to
  /// x_t = sqrt(abar_t/abar_{t-1}) x_{t-1} + sqrt(1 - abar_t/abar_{t-1}) noise.
  Tensor start(const Tensor& x, int64_t t, int64_t pass) const;

 private:
  const diffusion::Process& process_;
  Noise& noise_;
  int64_t count_;
  int64_t num_steps_;
};

}  // namespace sextant::samplers
