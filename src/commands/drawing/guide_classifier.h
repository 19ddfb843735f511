// The guide's classifier, opened and checked against the diffusion model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/sample.h"
#include "sextant/guidance/classifier.h"
#include "sextant/models/denoiser.h"

namespace sextant::commands {

struct GuideClassifier {
  guidance::Classifier classifier;  ///< of the model's samples: one of images reads decoded latents
  bool attributes = false;          ///< its logits are positive where an attribute is as asked; labels are the model's
  int64_t targets = 0;              ///< classes that labels may name, the first ones; 0 is all
  std::vector<std::string> notes;   ///< lines for the reader about what was opened
};

/// The names of the attributes that its classifier judges; none for one of classes. UsageError where --attributes does
/// not fit.
std::optional<std::vector<std::string>> attributes_of(const SampleConfig& config);

/// What `config` says of the classifier, `decoder` being that of a latent model. UsageError where it does not fit the
/// model.
GuideClassifier open_guide_classifier(const SampleConfig& config, const models::DiffusionModel& model,
                                      const std::optional<models::Decoder>& decoder, models::Placement placement);

}  // namespace sextant::commands
