// The named architectures of all families.
#pragma once

#include <vector>

#include "internal/networks/family.h"
#include "sextant/models/models.h"

namespace sextant::models {

struct Architecture {
  networks::Preset preset;
  Role role;
};

/// In the order of networks::families().
const std::vector<Architecture>& architectures();

/// What the weights of a model leave open, by its family (Family::doubt); "" where nothing.
std::string doubt_about(const nlohmann::json& config, const checkpoint::StateDict& weights);

}  // namespace sextant::models
