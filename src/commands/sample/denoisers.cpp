#include "sample/denoisers.h"

#include <c10/util/StringUtil.h>

#include <cmath>

#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

using diffusion::Model;

/// Where a model says nothing of it, every channel of its images.
int64_t guided_channels(const SampleConfig& config, const models::DiffusionModel& model) {
  const int64_t channels = model.sample_shape()[0];
  if (config.model.cfg_channels == CfgChannels::kThree) return std::min<int64_t>(3, channels);
  if (config.model.cfg_channels == CfgChannels::kAll || !model.noise) return channels;
  return model.noise->cfg_channels();
}

const char* kind_of(const models::DiffusionModel& model) {
  return model.noise ? "predicts noise at discrete timesteps" : "draws by noise levels";
}

std::string shape_of(const models::DiffusionModel& model) { return c10::str(at::IntArrayRef(model.sample_shape())); }

/// The second, weaker model of autoguidance, checked against the first.
models::DiffusionModel open_guide_model(const SampleConfig& config, const models::DiffusionModel& model,
                                        models::Placement placement) {
  const models::DiffusionModel guide =
      models::open_diffusion(config.model.autoguidance_model, config.model.autoguidance_arch, placement);
  const std::string names = "--autoguidance-model " + config.model.autoguidance_model;
  if ((guide.noise == nullptr) != (model.noise == nullptr)) {
    throw UsageError(names + " " + kind_of(guide) + ", " + config.model.path + " " + kind_of(model) +
                     "; autoguidance needs two models of one kind");
  }
  if (guide.sample_shape() != model.sample_shape()) {
    throw UsageError(names + " draws " + shape_of(guide) + ", " + config.model.path + " " + shape_of(model) +
                     "; autoguidance needs two models of one shape");
  }
  if (guide.classes != 0 && guide.classes != model.classes) {
    throw UsageError(names + " has " + std::to_string(guide.classes) + " classes, " + config.model.path + " " +
                     std::to_string(model.classes) + "; use one with the same classes, or one without");
  }
  const diffusion::ProcessConfig& a = guide.process;
  const diffusion::ProcessConfig& b = model.process;
  if (a.schedule != b.schedule || a.steps != b.steps || a.mean != b.mean ||
      a.rescale_timesteps != b.rescale_timesteps) {
    throw UsageError(names + " was trained with another process than " + config.model.path +
                     " (schedule, steps or what it predicts); their predictions cannot be mixed");
  }
  return guide;
}

/// The network at noise levels, with its labels and without.
Model labelled(std::shared_ptr<const networks::EdmDenoiser> network) {
  return [network = std::move(network)](const Tensor& x, const Tensor& sigma, const Tensor& y) {
    return network->denoise(x, sigma, y);
  };
}
Model unlabelled(std::shared_ptr<const networks::EdmDenoiser> network) {
  return [network = std::move(network)](const Tensor& x, const Tensor& sigma, const Tensor&) {
    return network->denoise(x, sigma);
  };
}

Model as_function(const SampleConfig& config, const models::DiffusionModel& model) {
  if (model.noise) return model.function();
  return config.model.unconditional ? unlabelled(model.sigma) : labelled(model.sigma);
}

/// `model` away from its unconditional self, or from the guiding model, within the interval of noise levels.
Model extrapolated(const SampleConfig& config, const models::DiffusionModel& model, models::Placement placement) {
  const Model plain = as_function(config, model);
  const int64_t channels = guided_channels(config, model);
  Model guided;
  if (!config.model.autoguidance_model.empty()) {
    const models::DiffusionModel guide = open_guide_model(config, model, placement);
    guided = diffusion::autoguidance(plain, as_function(config, guide), config.model.autoguidance_scale, channels);
  } else if (config.model.cfg_scale != 1) {
    guided = model.noise ? diffusion::classifier_free(plain, model.null_label, config.model.cfg_scale, channels)
                         : diffusion::autoguidance(plain, unlabelled(model.sigma), config.model.cfg_scale, channels);
  } else {
    return plain;
  }
  if (!config.model.cfg_interval) return guided;
  const Interval levels = *config.model.cfg_interval;
  const Interval times = model.noise ? timesteps_between(model.process, levels) : levels;
  return diffusion::in_interval(guided, plain, times.low, times.high);
}

}  // namespace

Interval timesteps_between(const diffusion::ProcessConfig& config, Interval levels) {
  diffusion::ProcessConfig whole = config;
  whole.respacing.clear();
  const diffusion::Process process(whole);
  int64_t first = -1;
  int64_t last = -1;
  for (int64_t t = 0; t < process.num_steps(); ++t) {
    const double abar = process.alphas_cumprod[static_cast<std::size_t>(t)];
    const double sigma = std::sqrt((1 - abar) / abar);
    if (!levels.contains(sigma)) continue;
    if (first < 0) first = t;
    last = t;
  }
  if (first < 0) {
    throw UsageError(c10::str("--cfg-interval: the model has no timestep with a noise level from ", levels.low, " to ",
                              levels.high));
  }
  // Networks may receive the timesteps as fractions, rounded: half a step of room on either side.
  const double scale = config.rescale_timesteps ? 1000.0 / static_cast<double>(config.steps) : 1.0;
  return {(static_cast<double>(first) - 0.5) * scale, (static_cast<double>(last) + 0.5) * scale};
}

std::shared_ptr<const diffusion::Denoiser> open_denoiser(const SampleConfig& config,
                                                         const models::DiffusionModel& model,
                                                         models::Placement placement) {
  diffusion::ProcessConfig process = model.process;
  if (config.sampler.respacing.empty() && config.sampler.steps > process.steps) {
    throw UsageError("--steps " + std::to_string(config.sampler.steps) + " is more than the " +
                     std::to_string(process.steps) + " of " + config.model.path);
  }
  process.respacing =
      config.sampler.respacing.empty() ? std::to_string(config.sampler.steps) : config.sampler.respacing;
  return std::make_shared<diffusion::ModelDenoiser>(extrapolated(config, model, placement), diffusion::Process(process),
                                                    model.sample_shape());
}

std::shared_ptr<const diffusion::SigmaDenoiser> open_sigma_denoiser(const SampleConfig& config,
                                                                    const models::DiffusionModel& model,
                                                                    models::Placement placement) {
  const auto network = model.sigma;
  const auto round = [network](double sigma) {
    return network->round_sigma(at::tensor(sigma, at::kDouble)).item<double>();
  };
  return std::make_shared<diffusion::ModelSigmaDenoiser>(extrapolated(config, model, placement), model.sample_shape(),
                                                         network->sigma_min(), network->sigma_max(), round);
}

}  // namespace sextant::commands
