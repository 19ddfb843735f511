#include "drawing/models.h"

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

}  // namespace sextant::commands
