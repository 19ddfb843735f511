// The samplers by name: one row each.
#include "sextant/runtime/error.h"
#include "sextant/samplers/samplers.h"

namespace sextant::samplers {
namespace {

using diffusion::Counts;

/// "ddpm, ddim or unipc": the rows that `wanted` picks.
template <class Wanted>
std::string words_where(Wanted wanted) {
  std::vector<std::string> picked;
  for (const SamplerRow& row : table()) {
    if (wanted(row)) picked.push_back(row.word);
  }
  std::string text;
  for (std::size_t i = 0; i < picked.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == picked.size() ? " or " : ", ") + picked[i];
  }
  return text;
}

/// As diffusion::space_timesteps() reads it.
std::string kept_steps(const SamplerConfig& config) {
  if (!config.respacing.empty()) return config.respacing;
  return config.steps == 1 ? "last" : std::to_string(config.steps);
}

}  // namespace

const std::vector<SamplerRow>& table() {
  static const std::vector<SamplerRow> rows = {
      {"ddpm", sample_ddpm, Counts::kTimesteps, true, 0},
      {"ddim", sample_ddim, Counts::kTimesteps, true, 1},
      {"dpmpp-2m", sample_dpm_solver, Counts::kTimesteps, false, 2},
      {"dpmpp-2m-sde", sample_dpm_solver_sde, Counts::kTimesteps, false, 0},
      {"unipc", sample_unipc, Counts::kTimesteps, false, 3},
      {"edm-heun", sample_edm_heun, Counts::kNoiseLevels, false, 2},
      {"edm-euler", sample_edm_euler, Counts::kNoiseLevels, false, 1},
  };
  return rows;
}

const SamplerRow* find(const Sampler* sampler) {
  for (const SamplerRow& row : table()) {
    if (row.sampler == sampler) return &row;
  }
  return nullptr;
}

std::string words(Counts counts) {
  return words_where([&](const SamplerRow& row) { return row.needs == counts; });
}

void check(const SamplerConfig& config, const diffusion::Denoiser& denoiser) {
  if (config.sampler == nullptr) {
    throw UsageError(
        "sampler: expected a sampling loop, got none; give one of sextant/samplers/samplers.h, or your own");
  }
  const Counts counts = denoiser.counts();
  if (const SamplerRow* row = find(config.sampler)) {
    if (row->needs != counts) {
      throw UsageError("sampler " + row->word + " does not fit a model that counts " +
                       (counts == Counts::kTimesteps ? "timesteps" : "noise levels") + "; use " + words(counts));
    }
    if (config.recurrence > 1 && !row->recurs) {
      throw UsageError(c10::str("recurrence ", config.recurrence, ": sampler ", row->word,
                                " takes each step once; use ",
                                words_where([](const SamplerRow& candidate) { return candidate.recurs; })));
    }
  }
  if (counts == Counts::kTimesteps && config.respacing.empty() && config.steps > denoiser.process().num_steps()) {
    throw UsageError(
        c10::str("steps ", config.steps, " is more than the ", denoiser.process().num_steps(), " of the model"));
  }
  if (config.sampler == sample_ddpm && denoiser.respaced(kept_steps(config)).process().num_steps() == 1) {
    throw UsageError("a single step: sampler ddpm needs at least 2, the variance of a lone step is undefined; use " +
                     words_where([](const SamplerRow& candidate) {
                       return candidate.needs == Counts::kTimesteps && candidate.sampler != sample_ddpm;
                     }));
  }
}

int64_t num_steps(const SamplerConfig& config, const diffusion::Denoiser& denoiser) {
  check(config, denoiser);
  if (denoiser.counts() == Counts::kNoiseLevels) {
    return diffusion::SigmaSchedule(config.edm.levels, config.steps, denoiser.range()).num_steps();
  }
  return denoiser.respaced(kept_steps(config)).process().num_steps();
}

Tensor draw(const SamplerConfig& config, const diffusion::Denoiser& denoiser, guidance::Guide* guide,
            const Tensor& labels, const Tensor& targets, Noise& noise, const StepObserver& observe) {
  check(config, denoiser);
  if (denoiser.counts() == Counts::kNoiseLevels) {
    return config.sampler({denoiser, guide, labels, targets, noise, observe}, config);
  }
  return config.sampler({denoiser.respaced(kept_steps(config)), guide, labels, targets, noise, observe}, config);
}

}  // namespace sextant::samplers
