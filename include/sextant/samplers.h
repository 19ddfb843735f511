// Samplers: each a short loop from x_T to x_0. Model, guide and noise come in from outside.
//
// All return [N, C, H, W], unclamped, in the denoiser's pixel range. Image n depends on y[n] and its own noise stream, not on
// the batch, unless the guide couples rows (tilt, GammaMax::kElucd).
#pragma once

#include <functional>

#include "sextant/diffusion.h"
#include "sextant/guide.h"
#include "sextant/noise.h"
#include "sextant/tensor.h"

namespace sextant::samplers {

/// One finished step, for progress bars, traces and gradient maps.
struct Step {
  int64_t step = 0;   ///< respaced index, num_steps-1 first
  int64_t num_steps = 0;
  Tensor x0;          ///< predicted x0
  Tensor x;           ///< the sample after this step
  const guidance::Guidance* guidance = nullptr;  ///< null without guide or outside its interval
};
using StepObserver = std::function<void(const Step&)>;

/// Guided ancestral sampling (Algorithm 1): `labels` [N] condition the denoiser, `targets` [N] the guide. `guide` may be null.
Tensor sample_ddpm(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels, const Tensor& targets,
                   Noise& noise, const StepObserver& observe = {});

/// DDIM (Song et al. 2021): eta 0 is deterministic, 1 has DDPM's variance. The guide shifts the score.
Tensor sample_ddim(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels, const Tensor& targets,
                   Noise& noise, double eta, const StepObserver& observe = {});

}  // namespace sextant::samplers
