#include "sample/samplers.h"

namespace sextant::commands {
namespace {

const std::vector<std::string> kSigmaSamplers = {"edm-heun", "edm-euler"};

samplers::EdmConfig edm_config(const SamplerSettings& settings) {
  samplers::EdmConfig edm = settings.edm;
  edm.levels.steps = settings.steps;
  edm.heun = settings.name == "edm-heun";
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
  if (draws_by_sigma(config.sampler.name)) {
    return samplers::sample_edm(*cast.sigma_denoiser, task.guide, task.labels, task.targets, noise,
                                edm_config(config.sampler), observe);
  }
  const samplers::Sampler sampler =
      samplers::named_sampler(config.sampler.name, config.sampler.eta, config.sampler.recurrence);
  return sampler(*cast.denoiser, task.guide, task.labels, task.targets, noise, observe);
}

}  // namespace sextant::commands
