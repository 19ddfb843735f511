// The networks of a run, opened and checked against each other.
#pragma once

#include <optional>
#include <vector>

#include "internal/commands/sample.h"
#include "sample/guide_classifier.h"
#include "sextant/models/latents.h"

namespace sextant::commands {

struct SamplingModels {
  diffusion::Denoiser denoiser;            ///< it gives the model the labels that the settings say
  std::optional<models::Decoder> decoder;  ///< of a model that draws latents
  std::optional<GuideClassifier> guide;    ///< none without guidance
  int64_t model_classes = 0;               ///< classes of the model without the null label; 0 if it has none
  at::Device device = at::kCPU;

  /// [C, H, W] of the images
  const std::vector<int64_t>& image_shape() const { return decoder ? decoder->image_shape : denoiser.sample_shape(); }
};

/// Opens what config names and checks that it fits together. UsageError and CheckpointError.
SamplingModels open_models(const SampleConfig& config);

}  // namespace sextant::commands
