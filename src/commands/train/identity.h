// What tells a training from another.
#pragma once

#include <nlohmann/json.hpp>

#include "train/setup.h"

namespace sextant::commands {

/// What a training's result depends on, {"table": {"key": value}}: the settings that count, the network, hashes of the
/// images and of the first weights. DataError where images cannot be read.
nlohmann::json identity_of(const TrainConfig& config, const TrainSetup& setup);

/// `here` without the hashes that `there` lacks, because an older version began that training.
nlohmann::json identity_like(const nlohmann::json& there, const nlohmann::json& here);

}  // namespace sextant::commands
