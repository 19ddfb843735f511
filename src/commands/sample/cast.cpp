#include "sample/cast.h"

#include "sample/decoder.h"
#include "sample/denoisers.h"
#include "sample/guide_classifier.h"
#include "sample/samplers.h"
#include "sextant/models/models.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

void check_labels(const SampleConfig& config, const models::DiffusionModel& model) {
  if (config.model.unconditional && model.noise && model.classes > 0 && model.null_label < 0) {
    throw UsageError("--unconditional: " + config.model.path + " has no null label; it was trained with classes only");
  }
  if (config.model.cfg_scale != 1 && (model.classes == 0 || (model.noise && model.null_label < 0))) {
    throw UsageError("--cfg-scale: " + config.model.path +
                     " cannot be used with and without labels; only models trained with both can");
  }
  const int64_t rows = std::max(model.classes, model.null_label + 1);
  if (config.model.denoiser_label >= rows) {
    throw UsageError("--denoiser-label " + std::to_string(config.model.denoiser_label) + ": " + config.model.path +
                     (rows > 0 ? " has labels 0-" + std::to_string(rows - 1) : " has no labels"));
  }
}

void check_sampler(const SampleConfig& config, const models::DiffusionModel& model) {
  const bool by_sigma = draws_by_sigma(config.sampler.name);
  if (by_sigma == (model.sigma != nullptr)) return;
  throw UsageError("--sampler " + config.sampler.name + " does not fit " + config.model.path + ": " +
                   (by_sigma
                        ? "it predicts noise at discrete timesteps; use ddpm, ddim, dpmpp-2m, dpmpp-2m-sde or unipc"
                        : "it is an EDM model; use edm-heun or edm-euler"));
}

void check_guidance(const SampleConfig& config) {
  if (!config.model.autoguidance_model.empty() && config.model.cfg_scale != 1) {
    throw UsageError("--cfg-scale and --autoguidance-model are two things to move away from; use one of them");
  }
  if (config.sampler.recurrence > 1 && config.sampler.name != "ddpm" && config.sampler.name != "ddim") {
    throw UsageError("--recurrence " + std::to_string(config.sampler.recurrence) + ": --sampler " +
                     config.sampler.name + " takes each step once; use ddpm or ddim");
  }
}

}  // namespace

std::vector<int64_t> Cast::sample_shape() const {
  return denoiser ? denoiser->sample_shape() : sigma_denoiser->sample_shape();
}

Cast open_cast(const SampleConfig& config) {
  Cast cast;
  cast.device = parse_device(config.run.device);
  check_precision(config.run.precision, cast.device);
  const models::Placement placement{cast.device, config.run.precision};
  const models::DiffusionModel model = models::open_diffusion(config.model.path, config.model.arch, placement);
  cast.model_classes = model.classes;
  cast.null_label = model.null_label;
  check_labels(config, model);
  check_sampler(config, model);
  check_guidance(config);
  if (model.noise) {
    cast.denoiser = open_denoiser(config, model, placement);
  } else {
    cast.sigma_denoiser = open_sigma_denoiser(config, model, placement);
  }
  const Decoder decoder = open_decoder(config, model, placement);
  cast.decode = decoder.decode;
  cast.image_shape = decoder.image_shape;
  if (config.guidance.score == "none") return cast;
  GuideClassifier guide = open_guide_classifier(config, model, decoder, placement);
  cast.classifier = std::move(guide.classifier);
  cast.guide_targets = guide.targets;
  cast.notes = std::move(guide.notes);
  return cast;
}

}  // namespace sextant::commands
