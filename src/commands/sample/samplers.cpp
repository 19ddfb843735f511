#include "sample/samplers.h"

#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

const std::vector<std::string> kSigmaSamplers = {"edm-heun", "edm-euler"};

/// The entry of `table` called `name`; the option table has refused all other names.
template <class Value>
Value chosen(const std::string& name, const std::vector<std::pair<std::string, Value>>& table) {
  for (const auto& [known, value] : table) {
    if (known == name) return value;
  }
  throw UsageError("'" + name + "' is unknown");
}

diffusion::SigmaConfig levels(const SampleConfig& c) {
  using diffusion::Discretization;
  using diffusion::NoiseSchedule;
  using diffusion::Scaling;
  diffusion::SigmaConfig levels;
  levels.discretization = chosen<Discretization>(c.discretization, {{"edm", Discretization::kEdm},
                                                                    {"vp", Discretization::kVp},
                                                                    {"ve", Discretization::kVe},
                                                                    {"iddpm", Discretization::kIddpm}});
  levels.schedule = chosen<NoiseSchedule>(
      c.schedule, {{"linear", NoiseSchedule::kLinear}, {"vp", NoiseSchedule::kVp}, {"ve", NoiseSchedule::kVe}});
  levels.scaling = chosen<Scaling>(c.scaling, {{"none", Scaling::kNone}, {"vp", Scaling::kVp}});
  levels.steps = c.steps;
  levels.rho = c.rho;
  if (c.sigma_min > 0) levels.sigma_min = c.sigma_min;
  if (c.sigma_max > 0) levels.sigma_max = c.sigma_max;
  return levels;
}

samplers::EdmConfig edm_config(const SampleConfig& c) {
  samplers::EdmConfig edm;
  edm.levels = levels(c);
  edm.heun = c.sampler == "edm-heun";
  edm.alpha = c.solver_alpha;
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
  const samplers::Sampler sampler = samplers::named_sampler(config.sampler, config.eta, config.recurrence);
  return sampler(*cast.denoiser, task.guide, task.labels, task.targets, noise, observe);
}

}  // namespace sextant::commands
