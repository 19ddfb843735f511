// What every sampling loop does around its own update.
#pragma once

#include <optional>

#include "sextant/samplers.h"

namespace sextant::samplers {

/// Throws NumericError "<sampler>: ..." naming the step and the first image of x [N, ...] that is not finite.
void check_finite(const char* sampler, const Tensor& x, int64_t step);

/// What the guide needs to know at `step`. Refers to `denoiser` and `labels`: use it within the step.
guidance::GuideInput guide_input(const diffusion::Denoiser& denoiser, const diffusion::Prediction& prediction,
                                 const Tensor& x, int64_t step, const Tensor& labels, const Tensor& targets);

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

/// eps' = eps - sqrt(1 - abar) f g, so x0' = x0 + (1 - abar)/sqrt(abar) f g, with f = Guide::score_factor. The shifted
/// x0 is not clipped again: that would undo the shift where it matters.
GuidedX0 predict_guided(const diffusion::Denoiser& denoiser, const guidance::Guide* guide, const Tensor& x,
                        int64_t step, const Tensor& labels, const Tensor& targets);

}  // namespace sextant::samplers
