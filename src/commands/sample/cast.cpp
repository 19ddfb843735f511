#include "sample/cast.h"

#include "sample/guide_classifier.h"
#include "sextant/runtime/device.h"

namespace sextant::commands {

Cast open_cast(const SampleConfig& config) {
  const at::Device device = parse_device(config.run.device);
  check_precision(config.run.precision, device);
  const models::Placement placement{device, config.run.precision};
  const models::DiffusionModel model = models::open_diffusion(config.model.path, config.model.arch, placement);
  samplers::check(config.sampler, model.denoiser());
  Cast cast{models::open_denoiser(model, config.model, placement),
            models::open_decoder(model, config.model, placement)};
  cast.model_classes = model.classes;
  cast.device = device;
  if (config.guidance.score == "none") return cast;
  GuideClassifier guide = open_guide_classifier(config, model, cast.decoder, placement);
  cast.classifier = std::move(guide.classifier);
  cast.guide_targets = guide.targets;
  cast.notes = std::move(guide.notes);
  return cast;
}

}  // namespace sextant::commands
