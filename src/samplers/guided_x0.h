// A prediction of x0, moved by the guide.
#pragma once

#include <optional>

#include "internal/runtime/finite.h"
#include "sextant/samplers/samplers.h"

namespace sextant::samplers {

/// x0 with the guide's shift of the score; the guide's answer where it was active.
struct GuidedX0 {
  Tensor x0;
  std::optional<guidance::Guidance> guidance;
  const guidance::Guidance* get_guidance() const { return guidance ? &*guidance : nullptr; }
};

/// By Tweedie's formula x_0 = (x + sigma^2 grad log p(x)) / alpha, so that a score g more at x moves it:
///
///   x0' = x0 + f sigma^2/alpha g                     g at x
///   x0' = x0 + f sigma^2/(alpha^2 + sigma^2) g       g at x0, where it counts alpha/(alpha^2 + sigma^2) at x
///
/// f = Guide::score_factor. The second stays bounded where hardly any signal is left. Backward guidance adds its Delta.
/// The shifted x0 is not clipped again: that would undo the shift where it matters. `x0` may have more digits than
/// in.x0, which the guide sees.
GuidedX0 guided_x0(const guidance::Guide& guide, const guidance::GuideInput& in, diffusion::NoiseLevel level,
                   const Tensor& x0);

/// What the guide needs to know of a prediction at a timestep. Refers to the run and to `watch`: use it within the
/// step.
guidance::GuideInput guide_input(const Run& run, FiniteWatch& watch, const diffusion::Prediction& prediction,
                                 const Tensor& x, int64_t step);
/// Likewise at a noise level, of a step's images x and denoised images x0.
guidance::GuideInput guide_input(const Run& run, FiniteWatch& watch, const Tensor& x0, const Tensor& x, double sigma,
                                 int64_t step, int64_t num_steps);

/// guided_x0 at a timestep, from the denoiser on.
GuidedX0 predict_guided(const Run& run, FiniteWatch& watch, const Tensor& x, int64_t step);

}  // namespace sextant::samplers
