// The hyper-parameters of a CLIP model, deduced from the shapes of its weights.
#pragma once

#include <nlohmann/json.hpp>

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::networks::clip {

/// As openai/CLIP finds them, and "vision_mlp_width" where it is not four times the width. CheckpointError if the
/// weights are those of no CLIP model.
nlohmann::json config_of(const checkpoint::StateDict& weights);

}  // namespace sextant::networks::clip
