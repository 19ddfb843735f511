// The networks of a run, opened and checked against each other.
#pragma once

#include "internal/commands/sample.h"
#include "sextant/guidance/classifier.h"
#include "sextant/models/latents.h"

namespace sextant::commands {

struct Cast {
  diffusion::Denoiser denoiser;            ///< it gives the model the labels that the settings say
  std::optional<models::Decoder> decoder;  ///< of a model that draws latents
  guidance::Classifier classifier = {};    ///< none without guidance
  int64_t guide_targets = 0;               ///< classes of it that labels may name, the first ones; 0 is all
  int64_t model_classes = 0;               ///< classes of the model without the null label; 0 if it has none
  at::Device device = at::kCPU;
  std::vector<std::string> notes = {};  ///< lines for the reader about what was opened

  /// [C, H, W] of the images
  const std::vector<int64_t>& image_shape() const { return decoder ? decoder->image_shape : denoiser.sample_shape(); }
};

/// Opens what config names and checks that it fits together. UsageError and CheckpointError.
Cast open_cast(const SampleConfig& config);

}  // namespace sextant::commands
