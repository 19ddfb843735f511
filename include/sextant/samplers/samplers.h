// Samplers: each a short loop from x_T to x_0. Model, guide and noise come in from outside.
//
//   labels   [N] int64   condition the denoiser
//   targets  [N] int64   are what the guide steers to
//   guide    may be null; `begin` is called here
//   returns  [N, C, H, W], unclamped, in the denoiser's pixel range and the noise's dtype
//
// Image n depends on y[n] and its own noise stream, not on the batch, unless the guide couples rows (tilt,
// GammaMax::kElucd). All throw NumericError, naming the step and the image, when an image stops being finite.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sextant/diffusion/process.h"
#include "sextant/diffusion/sigma.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/noise.h"
#include "sextant/runtime/tensor.h"

namespace sextant::samplers {

/// One finished step, for progress bars, traces and gradient maps.
struct Step {
  int64_t step = 0;  ///< respaced index, num_steps-1 first
  int64_t num_steps = 0;
  Tensor x0;                                     ///< predicted x0; with the score shift (all but DDPM), the shifted one
  Tensor x;                                      ///< the sample after this step
  const guidance::Guidance* guidance = nullptr;  ///< null without guide or outside its interval
};
using StepObserver = std::function<void(const Step&)>;

/// Guided ancestral sampling (Algorithm 1): the guide shifts the mean by gamma_t g, and by backward guidance's Delta
/// times x0's share of the mean.
///
/// A `recurrence` above 1 is universal guidance's "time travel" (Bansal et al. 2023): each step is made that often,
/// each time but the first from x_{t-1} carried back to x_t by fresh noise. UsageError below 1.
Tensor sample_ddpm(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                   const Tensor& targets, Noise& noise, const StepObserver& observe = {}, int64_t recurrence = 1);

/// DDIM (Song et al. 2021): eta 0 is deterministic, 1 has DDPM's variance; UsageError outside [0, 1]. The guide shifts
/// the score: eps - sqrt(1 - abar) g, times sqrt(abar) for a gradient at x0. `recurrence` as in sample_ddpm.
Tensor sample_ddim(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                   const Tensor& targets, Noise& noise, double eta, const StepObserver& observe = {},
                   int64_t recurrence = 1);

struct DpmSolverConfig {
  int order = 2;            ///< 1 (DDIM) or 2 (2M, multistep)
  bool stochastic = false;  ///< the SDE variant: noise at every step; order 1 has DDPM's variance
};

/// DPM-Solver++ (Lu et al. 2022): integrates the x0 prediction over the log signal-to-noise ratio exactly up to
/// `order`, one network call a step. The guide shifts the score as in DDIM.
Tensor sample_dpm_solver(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                         const Tensor& targets, Noise& noise, const DpmSolverConfig& config,
                         const StepObserver& observe = {});

struct UniPcConfig {
  int order = 2;            ///< of the predictor, 1 to 3; the corrector has one more
  bool exponential = true;  ///< B(h) = e^h - 1 ("bh2"), else B(h) = h ("bh1")
};

/// UniPC (Zhao et al. 2023): a predictor and a corrector that shares its network calls, one a step. Deterministic: of
/// the noise only x_T is used. The guide shifts the score as in DDIM.
Tensor sample_unipc(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                    const Tensor& targets, Noise& noise, const UniPcConfig& config, const StepObserver& observe = {});

/// A sampler with its settings filled in.
using Sampler = std::function<Tensor(const diffusion::Denoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                                     const Tensor& targets, Noise& noise, const StepObserver& observe)>;

/// The samplers above by name: ddpm, ddim, dpmpp-2m, dpmpp-2m-sde, unipc.
const std::vector<std::string>& sampler_names();
/// UsageError for another name, and for a `recurrence` above 1 with another sampler than ddpm and ddim. `eta` is
/// DDIM's.
Sampler named_sampler(const std::string& name, double eta = 0, int64_t recurrence = 1);

/// How a guide enters an EDM run. The guide's t is sigma [N], its variance sigma^2, its x0 the denoised image.
enum class EdmGuidance {
  kScore,  ///< the gradient is added to the score: D + sigma^2 g, at every network call; sigma^2/(1 + sigma^2) g for a
           ///< gradient at x0, so that the shift stays bounded
  kElucd   ///< as EluCD's code: classifier at x_cur shrunk to RMS 1, gradient normalised to RMS 1, added to x_hat
};

struct EdmConfig {
  diffusion::SigmaConfig levels;  ///< noise levels, sigma(t) and s(t)
  bool heun = true;               ///< second-order correction; false is Euler's method
  double alpha = 1;               ///< where the second call of a step is made, as a fraction of it; 1 is Heun's method
  double churn = 0;               ///< S_churn: noise added before a step, spread over all steps; 0 is deterministic
  double churn_min = 0;           ///< S_tmin, S_tmax: only between these noise levels
  double churn_max = 1e9;
  double churn_noise = 1;  ///< S_noise: inflation of the added noise

  EdmGuidance guidance = EdmGuidance::kScore;
  double max_guidance = 0.001;  ///< kElucd: share of x's RMS at the first step, falling linearly to 0
  double add_factor = 0;        ///< kElucd: a half sine on top, this share of max_guidance high
};

/// EDM's sampler (Karras et al. 2022): with the defaults Algorithm 2, else the generalised sampler of its ablation. The
/// state is float64 throughout; denoiser and guide see it in the noise's dtype.
Tensor sample_edm(const diffusion::SigmaDenoiser& denoiser, guidance::Guide* guide, const Tensor& labels,
                  const Tensor& targets, Noise& noise, const EdmConfig& config, const StepObserver& observe = {});

}  // namespace sextant::samplers
