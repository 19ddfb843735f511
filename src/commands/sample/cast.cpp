#include "sample/cast.h"

#include <filesystem>

#include "sample/classifier_cast.h"
#include "sample/decoder.h"
#include "sample/denoisers.h"
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

/// Whether the guide's classifier reads the latents themselves.
bool classifies_latents(const SampleConfig& config, const Cast& cast) {
  if (!cast.decode) {
    if (config.guidance.space != GuidanceSpace::kLatent) return false;
    throw UsageError("--guidance-space latent: " + config.model.path + " draws images, not latents");
  }
  if (config.guidance.space != GuidanceSpace::kAuto) return config.guidance.space == GuidanceSpace::kLatent;
  if (!std::filesystem::is_directory(config.classifier.path)) return false;  // named architectures are of images
  const auto channels =
      models::describe(config.classifier.path, "").config.value("/model/in_channels"_json_pointer, int64_t{3});
  return channels == cast.sample_shape()[0] && channels != cast.image_shape[0];
}

void open_classifier(const SampleConfig& config, models::Placement placement, Cast& cast) {
  if (classifies_latents(config, cast)) {
    const auto decode = std::exchange(cast.decode, {});
    const std::vector<int64_t> image_shape = std::exchange(cast.image_shape, cast.sample_shape());
    open_guide_classifier(config, placement, cast);
    cast.decode = decode;
    cast.image_shape = image_shape;
    return;
  }
  if (cast.decode && config.guidance.guide.input == guidance::Input::kNoisy) {
    throw UsageError("--guidance-input xt: " + config.model.path + " is noisy in its latents, where " +
                     config.classifier.path +
                     " cannot read images; give a classifier of latents and --guidance-space latent");
  }
  open_guide_classifier(config, placement, cast);
}

}  // namespace

std::vector<int64_t> Cast::sample_shape() const {
  return denoiser ? denoiser->sample_shape() : sigma_denoiser->sample_shape();
}

Cast open_cast(const SampleConfig& config) {
  Cast cast;
  cast.device = parse_device(config.run.device);
  const models::Placement placement{cast.device, parse_precision(config.run.precision, cast.device)};
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
  Decoder decoder = open_decoder(config, model, placement);
  cast.decode = std::move(decoder.decode);
  cast.image_shape = std::move(decoder.image_shape);
  if (config.guidance.score != "none") open_classifier(config, placement, cast);
  return cast;
}

}  // namespace sextant::commands
