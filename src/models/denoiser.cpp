// Classifier-free guidance and autoguidance around a diffusion model.
#include "sextant/models/denoiser.h"

#include <c10/util/StringUtil.h>

#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::models {
namespace {

using diffusion::Counts;
using diffusion::Model;

void check(const DenoiserConfig& config, const DiffusionModel& model) {
  DenoiserConfig::kCfgScale.check("denoiser", "cfg-scale", config.cfg_scale);
  DenoiserConfig::kCfgScale.check("denoiser", "autoguidance-scale", config.autoguidance_scale);
  DenoiserConfig::kDenoiserLabel.check("denoiser", "denoiser-label", static_cast<double>(config.denoiser_label));
  if (config.unconditional) model.unconditional();
  if (config.cfg_scale != 1 && (model.classes == 0 || !model.does_without_labels())) {
    throw UsageError("cfg-scale: " + model.source +
                     " cannot be used with and without labels; only models trained with both can");
  }
  if (config.cfg_scale != 1 && !config.autoguidance_model.empty()) {
    throw UsageError("cfg-scale and autoguidance-model are two things to move away from; use one of them");
  }
  if (config.cfg_interval) {
    const auto [low, high] = *config.cfg_interval;
    DenoiserConfig::kCfgInterval.check("denoiser", "the beginning of cfg-interval", low);
    Range{low}.check("denoiser", "the end of cfg-interval", high);
  }
  const int64_t rows = std::max(model.classes, model.null_label + 1);
  if (config.denoiser_label >= rows) {
    throw UsageError("denoiser-label " + std::to_string(config.denoiser_label) + ": " + model.source +
                     (rows > 0 ? " has labels 0-" + std::to_string(rows - 1) : " has no labels"));
  }
}

int64_t guided_channels(CfgChannels channels, const DiffusionModel& model) {
  switch (channels) {
    case CfgChannels::kModel:
      return model.cfg_channels;
    case CfgChannels::kThree:
      return std::min<int64_t>(3, model.sample_shape[0]);
    case CfgChannels::kAll:
      break;
  }
  return model.sample_shape[0];
}

const char* kind_of(const DiffusionModel& model) {
  return model.counts() == Counts::kTimesteps ? "predicts noise at discrete timesteps" : "draws by noise levels";
}

std::string shape_of(const DiffusionModel& model) { return c10::str(at::IntArrayRef(model.sample_shape)); }

/// The second, weaker model of autoguidance, checked against the first.
DiffusionModel open_weaker(const DenoiserConfig& config, const DiffusionModel& model, Placement placement) {
  const DiffusionModel weaker =
      open_diffusion(config.autoguidance_model, config.autoguidance_arch, placement, config.autoguidance_weights);
  const std::string names = "autoguidance-model " + weaker.source;
  if (weaker.counts() != model.counts()) {
    throw UsageError(names + " " + kind_of(weaker) + ", " + model.source + " " + kind_of(model) +
                     "; autoguidance needs two models of one kind");
  }
  if (weaker.sample_shape != model.sample_shape) {
    throw UsageError(names + " draws " + shape_of(weaker) + ", " + model.source + " " + shape_of(model) +
                     "; autoguidance needs two models of one shape");
  }
  if (weaker.classes != 0 && weaker.classes != model.classes) {
    throw UsageError(names + " has " + std::to_string(weaker.classes) + " classes, " + model.source + " " +
                     std::to_string(model.classes) + "; use one with the same classes, or one without");
  }
  if (model.counts() == Counts::kNoiseLevels) return weaker;
  const diffusion::ProcessConfig& a = weaker.process();
  const diffusion::ProcessConfig& b = model.process();
  if (a.schedule != b.schedule || a.steps != b.steps || a.mean != b.mean ||
      a.rescale_timesteps != b.rescale_timesteps) {
    throw UsageError(names + " was trained with another process than " + model.source +
                     " (schedule, steps or what it predicts); their predictions cannot be mixed");
  }
  return weaker;
}

Model with_labels(const DenoiserConfig& config, const DiffusionModel& model) {
  return config.unconditional ? model.unconditional() : model.function;
}

/// `model` away from its unconditional self, or from the weaker model, within the interval of noise levels.
Model extrapolated(const DenoiserConfig& config, const DiffusionModel& model, Placement placement) {
  const Model plain = with_labels(config, model);
  const int64_t channels = guided_channels(config.cfg_channels, model);
  Model guided;
  if (!config.autoguidance_model.empty()) {
    const DiffusionModel weaker = open_weaker(config, model, placement);
    guided = diffusion::autoguidance(plain, with_labels(config, weaker), config.autoguidance_scale, channels);
  } else if (config.cfg_scale == 1) {
    return plain;
  } else if (model.counts() == Counts::kTimesteps) {
    guided = diffusion::classifier_free(plain, model.null_label, config.cfg_scale, channels);
  } else {
    guided = diffusion::autoguidance(plain, model.unconditional(), config.cfg_scale, channels);
  }
  if (!config.cfg_interval) return guided;
  const Interval times = model.counts() == Counts::kTimesteps
                             ? diffusion::timesteps_between(model.process(), *config.cfg_interval)
                             : *config.cfg_interval;
  return diffusion::in_interval(guided, plain, times);
}

}  // namespace

diffusion::Denoiser open_denoiser(const DiffusionModel& model, const DenoiserConfig& config, Placement placement) {
  check(config, model);
  const Model guided = extrapolated(config, model, placement);
  const bool one_label = config.denoiser_label >= 0 && !config.unconditional;
  return model.denoiser().with(one_label ? diffusion::labelled(guided, config.denoiser_label) : guided);
}

}  // namespace sextant::models
