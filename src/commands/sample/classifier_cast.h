// The guide's classifier, opened and checked against the diffusion model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sample/cast.h"
#include "sextant/models/models.h"

namespace sextant::commands {

/// Sets cast.classifier and what goes with it to what `config` says of the classifier. The cast's diffusion model and
/// decoder are open; a classifier of images reads decoded latents. UsageError where it does not fit the model.
void open_guide_classifier(const SampleConfig& config, models::Placement placement, Cast& cast);

}  // namespace sextant::commands
