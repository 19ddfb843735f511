// Samplers: each a short loop from x_T to x_0. Denoiser, guide and noise come in from outside.
//
//   SamplerConfig config;
//   config.sampler = samplers::sample_ddim;
//   const Tensor x = samplers::draw(config, denoiser, &guide, labels, targets, noise);
//
// Image n depends on its labels and its own noise stream, not on the batch, unless the guide couples rows (tilt,
// GammaMax::kElucd). All throw UsageError for settings out of range or a denoiser that counts in something else, and
// NumericError, naming the step and the image, when an image stops being finite: at that step on a CPU, one step later
// on a GPU, which no step waits for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sextant/diffusion/denoiser.h"
#include "sextant/diffusion/sigma_schedule.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/noise.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::samplers {

/// One finished step, for progress bars, traces and gradient maps.
struct Step {
  int64_t step = 0;  ///< respaced index, num_steps-1 first
  int64_t num_steps = 0;
  Tensor x0;                                     ///< predicted x0; with the score shift (all but DDPM), the shifted one
  Tensor x;                                      ///< the sample after this step
  const guidance::Guidance* guidance = nullptr;  ///< null without guide or outside its interval
  Tensor x_t;  ///< the sample that the step began with; repeated steps (recurrence), that of the last time
};
using StepObserver = std::function<void(const Step&)>;

/// What one run of a sampler is given.
struct Run {
  const diffusion::Denoiser& denoiser;
  guidance::Guide* guide;  ///< null draws unguided; `begin` is called by the sampler
  Tensor labels;           ///< [N] int64, condition the denoiser; undefined for one that needs none
  Tensor targets;          ///< [N] int64, what the guide steers to; undefined without one
  Noise& noise;            ///< one sample per label, of the denoiser's shape: UsageError otherwise
  StepObserver observe = {};
};

struct SamplerConfig;

/// A sampling loop, a function of this type. Returns [N, C, H, W], unclamped, in the denoiser's pixel range and the
/// noise's dtype. A loop over timesteps makes every step of the denoiser's process.
using Sampler = Tensor(const Run& run, const SamplerConfig& config);

// ---- over timesteps ------------------------------------------------------------------------------------------------

/// Guided ancestral sampling (Ho et al. 2020; Algorithm 1 of Javid et al. 2025): the guide shifts the mean by gamma_t
/// g, and by backward guidance's Delta times x0's share of the mean.
Sampler sample_ddpm;

/// DDIM (Song et al. 2021). The guide shifts the score: eps - sqrt(1 - abar) g, times sqrt(abar) for a gradient at x0.
Sampler sample_ddim;

/// DPM-Solver++ (Lu et al. 2022): integrates the x0 prediction over the log signal-to-noise ratio exactly up to
/// `order`, one network call a step. The guide shifts the score as in DDIM. The second adds noise at every step, the
/// SDE variant; of order 1 it has DDPM's variance.
Sampler sample_dpm_solver;
Sampler sample_dpm_solver_sde;

/// UniPC (Zhao et al. 2023): a predictor and a corrector that shares its network calls, one a step. Deterministic: of
/// the noise only x_T is used. The guide shifts the score as in DDIM.
Sampler sample_unipc;

// ---- over noise levels ---------------------------------------------------------------------------------------------

/// EDM's sampler (Karras et al. 2022): with the defaults Algorithm 2, else the generalised sampler of its ablation. The
/// state is float64 throughout; denoiser and guide see it in the noise's dtype. The second leaves out the correction.
Sampler sample_edm_heun;
Sampler sample_edm_euler;

// ---- settings ------------------------------------------------------------------------------------------------------

/// B(h) of UniPC.
enum class UniPcForm {
  kExponential,  ///< e^h - 1, "bh2"
  kLinear,       ///< h, "bh1"
};

/// How a guide enters an EDM run. The guide's t is sigma [N], its variance sigma^2, its x0 the denoised image.
enum class EdmGuidance {
  kScore,  ///< the gradient is added to the score: D + sigma^2 g, at every network call; sigma^2/(1 + sigma^2) g for a
           ///< gradient at x0, so that the shift stays bounded; times Guide::score_factor() of the step
  kElucd   ///< as EluCD's code: classifier at x_cur shrunk to RMS 1, gradient normalised to RMS 1, added to x_hat
};

struct EdmConfig {
  diffusion::SigmaConfig levels;  ///< noise levels, sigma(t) and s(t)
  double alpha = 1;               ///< heun: where the second call of a step is made, as a fraction of it; 1 is Heun's
  static constexpr Range kAlpha{0, 1, true};
  double churn = 0;  ///< S_churn: noise added before a step, spread over all steps; 0 is deterministic
  static constexpr Range kChurn{0, 1e6};
  double churn_min = 0;  ///< S_tmin, S_tmax: only between these noise levels, the first not above the second; infinity
                         ///< is no bound
  double churn_max = 1e9;
  static constexpr Range kChurnLevel{0, 1e9};
  double churn_noise = 1;  ///< S_noise: inflation of the added noise
  static constexpr Range kChurnNoise{0, 10};

  EdmGuidance guidance = EdmGuidance::kScore;
  double max_guidance = 0.001;  ///< kElucd: share of x's RMS at the first step, falling linearly to 0
  static constexpr Range kMaxGuidance{0, 100};
  double add_factor = 0;  ///< kElucd: a half sine on top, this share of max_guidance high
  static constexpr Range kAddFactor{0, 1e4};
};

struct SamplerConfig {
  Sampler* sampler = sample_ddpm;
  int64_t steps = 250;  ///< over timesteps, draw() keeps that many of the denoiser's, evenly
  static constexpr Range kSteps{1, 1e6};
  std::string respacing;  ///< over timesteps, instead of `steps`: see diffusion::space_timesteps(); "" is off
  double eta = 0;         ///< ddim: 0 is deterministic, 1 has DDPM's variance
  static constexpr Range kEta{0, 1};
  int64_t recurrence = 1;  ///< ddpm, ddim: times that each step is made, each but the first from x_{t-1} carried back
                           ///< to x_t by fresh noise: universal guidance's "time travel" (Bansal et al. 2023)
  static constexpr Range kRecurrence{1, 1000};
  int64_t order = 2;  ///< dpmpp-2m and its SDE: 1 (DDIM) or 2 (multistep); unipc: of its predictor, 1 to 3, the
                      ///< corrector has one more
  UniPcForm unipc_form = UniPcForm::kExponential;
  EdmConfig edm;
};

// ---- the table -----------------------------------------------------------------------------------------------------

/// What there is to know of a sampler.
struct SamplerRow {
  std::string word;  ///< "ddim"
  Sampler* sampler;
  diffusion::Counts needs;  ///< what the denoiser has to count
  bool recurs;              ///< takes a `recurrence` above 1
  int order;                ///< of the error in the length of a step, with the default settings; 0 where it adds noise
};
const std::vector<SamplerRow>& table();
/// The row of a sampler that has one, else null.
const SamplerRow* find(const Sampler* sampler);

/// The words of the samplers that a denoiser counting so can be given: "ddpm, ddim or unipc".
std::string words(diffusion::Counts counts);

/// UsageError where there is no sampler, it does not fit the denoiser, the process has fewer steps, or a recurrence has
/// no meaning.
void check(const SamplerConfig& config, const diffusion::Denoiser& denoiser);

/// Steps that draw() makes with this denoiser. UsageError as check().
int64_t num_steps(const SamplerConfig& config, const diffusion::Denoiser& denoiser);

/// Draws one image for each sample of `noise`, with the denoiser at config's steps: see Run and Sampler. UsageError
/// where there is none to draw, or with a guide in inference mode.
Tensor draw(const SamplerConfig& config, const diffusion::Denoiser& denoiser, guidance::Guide* guide,
            const Tensor& labels, const Tensor& targets, Noise& noise, const StepObserver& observe = {});

}  // namespace sextant::samplers
