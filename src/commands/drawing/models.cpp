#include "drawing/models.h"

#include <c10/util/StringUtil.h>

#include <numbers>

#include "common/placement.h"

namespace sextant::commands {

SamplingModels open_models(const SampleConfig& config, bool watch) {
  const models::Placement placement =
      placement_of(config.run, {config.classifier.precision, config.model.vae_precision});
  const OpenedWeights weights;
  const models::DiffusionModel model = models::open_diffusion(config.model.path, config.model.arch,
                                                              weights.as("model", placement), config.model.weights);
  samplers::check(config.sampler, model.denoiser());
  SamplingModels opened{models::open_denoiser(model, config.model, weights.as("autoguidance-model", placement)),
                        models::open_decoder(model, config.model, weights.as("vae", placement)),
                        std::nullopt,
                        model.classes,
                        placement.device,
                        model.points,
                        weights};
  if (!config.guidance.none() || (watch && !config.classifier.path.empty())) {
    opened.guide = open_guide_classifier(config, model, opened.decoder, weights.as("classifier", placement));
  }
  return opened;
}

std::string idle_interval_note(const SampleConfig& config, const diffusion::Denoiser& denoiser) {
  const models::DenoiserConfig& model = config.model;
  const bool mixes = model.cfg_scale != 1 || (!model.autoguidance_model.empty() && model.autoguidance_scale != 1);
  if (!model.cfg_interval || !mixes || denoiser.counts() == diffusion::Counts::kTimesteps) return "";
  const samplers::EdmConfig& edm = config.sampler.edm;
  const diffusion::SigmaSchedule schedule(edm.levels, config.sampler.steps, denoiser.range());
  const std::vector<double>& times = schedule.times();
  // Heun's second calls lie between two steps, churn goes up by a factor of sqrt(2) at most.
  const double lowest = schedule.sigma(times[times.size() - 2]);
  const double highest = schedule.sigma(times[0]) * (edm.churn > 0 ? std::numbers::sqrt2 : 1);
  if (model.cfg_interval->low <= highest && lowest <= model.cfg_interval->high) return "";
  return c10::str("note: --cfg-interval has no step in it, the run's noise levels go from ", highest, " to ", lowest,
                  ": --", model.cfg_scale != 1 ? "cfg-scale" : "autoguidance-model", " has no effect");
}

}  // namespace sextant::commands
