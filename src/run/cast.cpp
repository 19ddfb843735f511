#include "run/cast.h"

#include "run/classifier_cast.h"
#include "run/samplers.h"
#include "sextant/error.h"
#include "sextant/models.h"
#include "sextant/runtime.h"

namespace sextant::run {
namespace {

void check_labels(const SampleConfig& config, const models::DiffusionModel& model) {
  if (config.unconditional && model.noise && model.classes > 0 && model.null_label < 0) {
    throw UsageError("--unconditional: " + config.model + " has no null label; it was trained with classes only");
  }
  if (config.cfg_scale != 1 && (model.classes == 0 || (model.noise && model.null_label < 0))) {
    throw UsageError("--cfg-scale: " + config.model +
                     " cannot be used with and without labels; only models trained with both can");
  }
  const int64_t rows = std::max(model.classes, model.null_label + 1);
  if (config.denoiser_label >= rows) {
    throw UsageError("--denoiser-label " + std::to_string(config.denoiser_label) + ": " + config.model +
                     (rows > 0 ? " has labels 0-" + std::to_string(rows - 1) : " has no labels"));
  }
}

void check_sampler(const SampleConfig& config, const models::DiffusionModel& model) {
  const bool by_sigma = draws_by_sigma(config.sampler);
  if (by_sigma == (model.sigma != nullptr)) return;
  throw UsageError("--sampler " + config.sampler + " does not fit " + config.model + ": " +
                   (by_sigma
                        ? "it predicts noise at discrete timesteps; use ddpm, ddim, dpmpp-2m, dpmpp-2m-sde or unipc"
                        : "it is an EDM model; use edm-heun or edm-euler"));
}

std::shared_ptr<const diffusion::Denoiser> open_denoiser(const SampleConfig& config,
                                                         const models::DiffusionModel& model) {
  diffusion::ProcessConfig process = model.process;
  if (config.respacing.empty() && config.steps > process.steps) {
    throw UsageError("--steps " + std::to_string(config.steps) + " is more than the " + std::to_string(process.steps) +
                     " of " + config.model);
  }
  process.respacing = config.respacing.empty() ? std::to_string(config.steps) : config.respacing;
  diffusion::Model function = model.function();
  const std::vector<int64_t> shape = model.sample_shape();
  if (config.cfg_scale != 1)
    function = diffusion::classifier_free(function, model.null_label, config.cfg_scale, shape[0]);
  return std::make_shared<diffusion::ModelDenoiser>(function, diffusion::Process(process), shape);
}

std::shared_ptr<const diffusion::SigmaDenoiser> open_sigma_denoiser(const SampleConfig& config,
                                                                    const models::DiffusionModel& model) {
  const auto network = model.sigma;
  const diffusion::SigmaModel labelled = [network](const Tensor& x, const Tensor& sigma, const Tensor& y) {
    return network->denoise(x, sigma, y);
  };
  const diffusion::SigmaModel unlabelled = [network](const Tensor& x, const Tensor& sigma, const Tensor&) {
    return network->denoise(x, sigma);
  };
  const std::vector<int64_t> shape = model.sample_shape();
  const diffusion::SigmaModel function =
      config.cfg_scale == 1 ? (config.unconditional ? unlabelled : labelled)
                            : diffusion::autoguidance(labelled, unlabelled, config.cfg_scale, shape[0]);
  const auto round = [network](double sigma) {
    return network->round_sigma(at::tensor(sigma, at::kDouble)).item<double>();
  };
  return std::make_shared<diffusion::ModelSigmaDenoiser>(function, shape, network->sigma_min(), network->sigma_max(),
                                                         round);
}

/// Sets what turns samples into images.
void open_decoder(const SampleConfig& config, models::Placement placement, Cast& cast) {
  cast.image_shape = cast.sample_shape();
  const int64_t channels = cast.image_shape[0];
  if (config.vae.empty()) {
    if (channels == 1 || channels == 3) return;
    throw UsageError(config.model + " draws latents of " + std::to_string(channels) +
                     " channels; give the --vae that decodes them");
  }
  const auto network = models::open_network(models::describe(config.vae, config.vae_arch), placement);
  const auto vae = std::dynamic_pointer_cast<const networks::Autoencoder>(network);
  if (!vae) throw UsageError("--vae " + config.vae + " is no autoencoder");
  if (vae->latent_channels() != channels) {
    throw UsageError("--vae " + config.vae + " has latents of " + std::to_string(vae->latent_channels()) +
                     " channels, " + config.model + " of " + std::to_string(channels));
  }
  cast.image_shape = {3, cast.image_shape[1] * vae->factor(), cast.image_shape[2] * vae->factor()};
  cast.decode = [vae](const Tensor& z) { return vae->decode(z / vae->scaling_factor()); };
}

}  // namespace

std::vector<int64_t> Cast::sample_shape() const {
  return denoiser ? denoiser->sample_shape() : sigma_denoiser->sample_shape();
}

Cast open_cast(const SampleConfig& config) {
  Cast cast;
  cast.device = parse_device(config.device);
  const models::Placement placement{cast.device, parse_precision(config.precision, cast.device)};
  const models::DiffusionModel model = models::open_diffusion(config.model, config.arch, placement);
  cast.model_classes = model.classes;
  cast.null_label = model.null_label;
  check_labels(config, model);
  check_sampler(config, model);
  if (model.noise) {
    cast.denoiser = open_denoiser(config, model);
  } else {
    cast.sigma_denoiser = open_sigma_denoiser(config, model);
  }
  open_decoder(config, placement, cast);
  if (config.guidance != "none") cast.classifier = open_guide_classifier(config, cast, placement);
  return cast;
}

}  // namespace sextant::run
