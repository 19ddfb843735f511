// The guide's classifier, opened and checked against the diffusion model.
#pragma once

#include <memory>

#include "run/cast.h"
#include "sextant/models.h"

namespace sextant::run {

/// What `config` says of the classifier, for a `cast` whose diffusion model and decoder are open. A classifier of
/// images reads decoded latents. UsageError where it does not fit the model.
std::shared_ptr<const guidance::Classifier> open_guide_classifier(const SampleConfig& config, const Cast& cast,
                                                                  models::Placement placement);

}  // namespace sextant::run
