#include "run/samplers.h"

namespace sextant::run {
namespace {

const std::vector<std::string> kSigmaSamplers = {"edm-heun", "edm-euler"};

samplers::EdmConfig edm_config(const SampleConfig& c) {
  samplers::EdmConfig edm;
  edm.levels.steps = c.steps;
  edm.levels.rho = c.rho;
  if (c.sigma_min > 0) edm.levels.sigma_min = c.sigma_min;
  if (c.sigma_max > 0) edm.levels.sigma_max = c.sigma_max;
  edm.heun = c.sampler == "edm-heun";
  edm.churn = c.churn;
  edm.churn_min = c.churn_min;
  edm.churn_max = c.churn_max;
  edm.churn_noise = c.churn_noise;
  edm.guidance = c.edm_guidance == "elucd" ? samplers::EdmGuidance::kElucd : samplers::EdmGuidance::kScore;
  edm.max_guidance = c.max_guidance;
  edm.add_factor = c.add_factor;
  return edm;
}

}  // namespace

std::vector<std::string> sampler_names() {
  std::vector<std::string> names = samplers::sampler_names();
  names.insert(names.end(), kSigmaSamplers.begin(), kSigmaSamplers.end());
  return names;
}

bool draws_by_sigma(const std::string& name) {
  return std::find(kSigmaSamplers.begin(), kSigmaSamplers.end(), name) != kSigmaSamplers.end();
}

Tensor run_sampler(const SampleConfig& config, const Cast& cast, const BatchTask& task, Noise& noise,
                   const samplers::StepObserver& observe) {
  if (draws_by_sigma(config.sampler)) {
    return samplers::sample_edm(*cast.sigma_denoiser, task.guide, task.labels, task.targets, noise, edm_config(config),
                                observe);
  }
  const samplers::Sampler sampler = samplers::named_sampler(config.sampler, config.eta);
  return sampler(*cast.denoiser, task.guide, task.labels, task.targets, noise, observe);
}

}  // namespace sextant::run
