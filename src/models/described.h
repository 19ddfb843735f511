// Files that say themselves what network their weights are of: EDM's and EDM2's pickles.
#pragma once

#include <nlohmann/json.hpp>

#include "sextant/models/models.h"

namespace sextant::models {

/// The config.json that the class and the arguments beside a network's weights make; null where a file has none, or
/// none that the reader of config.json takes and all tensors fit. Latents are as EDM2 published them.
nlohmann::json described_in(const checkpoint::Checkpoint& file, const WeightsChoice& choice);

/// Whether a named architecture agrees with such a config in every hyper-parameter that both have.
bool agrees(const nlohmann::json& arch, const nlohmann::json& described);

}  // namespace sextant::models
