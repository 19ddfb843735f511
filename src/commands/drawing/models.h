// The networks of a run, opened and checked against each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/opened_weights.h"
#include "drawing/guide_classifier.h"
#include "internal/commands/sample.h"
#include "sextant/models/denoiser.h"

namespace sextant::commands {

struct SamplingModels {
  diffusion::Denoiser denoiser;            ///< it gives the model the labels that the settings say
  std::optional<models::Decoder> decoder;  ///< of a model that draws latents
  std::optional<GuideClassifier> guide;    ///< none without guidance, but for a classifier that watches
  int64_t model_classes = 0;               ///< classes of the model without the null label; 0 if it has none
  at::Device device = at::kCPU;
  bool points = false;         ///< the model draws points [d, 1, 1], no images
  OpenedWeights weights = {};  ///< which these networks have

  /// [C, H, W] of the images
  const std::vector<int64_t>& image_shape() const { return decoder ? decoder->image_shape : denoiser.sample_shape(); }
};

/// Opens what config names and checks that it fits together. UsageError and CheckpointError. With `watch` a classifier
/// is opened for a run that it does not guide too.
SamplingModels open_models(const SampleConfig& config, bool watch = false);

/// "note: ..." where a run by noise levels makes no step within --cfg-interval, "" where it does; of timesteps,
/// open_models() refuses such an interval.
std::string idle_interval_note(const SampleConfig& config, const diffusion::Denoiser& denoiser);

}  // namespace sextant::commands
