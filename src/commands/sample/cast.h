// The networks of a run, opened and checked against each other.
#pragma once

#include <memory>

#include "internal/commands/sample.h"
#include "sample/meter.h"
#include "sextant/diffusion/process.h"
#include "sextant/diffusion/sigma.h"
#include "sextant/guidance/classifier.h"

namespace sextant::commands {

struct Cast {
  std::shared_ptr<const diffusion::Denoiser> denoiser;             ///< of a discrete-time model, else null
  std::shared_ptr<const diffusion::SigmaDenoiser> sigma_denoiser;  ///< of an EDM model, else null
  guidance::Classifier classifier;                                 ///< none without guidance
  int64_t guide_targets = 0;       ///< classes of the classifier that labels may name, the first ones; 0 is all
  std::vector<std::string> notes;  ///< lines for the reader about what was opened
  int64_t model_classes = 0;       ///< classes of the model without the null label; 0 if it has none
  int64_t null_label = -1;         ///< -1 when the model has none
  std::function<Tensor(const Tensor&)> decode;  ///< samples to images in [-1, 1]; empty when they are images
  std::vector<int64_t> image_shape;             ///< [C, H, W] of the images
  at::Device device = at::kCPU;

  std::vector<int64_t> sample_shape() const;  ///< [C, H, W] that the sampler works on
};

/// Opens what config names and checks that it fits together. UsageError and CheckpointError.
Cast open_cast(const SampleConfig& config);

}  // namespace sextant::commands
