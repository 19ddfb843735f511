// Hyper-parameters of ADM networks, read off the shapes of their weights: "model" of a config.json, or null.
#pragma once

#include <nlohmann/json.hpp>

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::networks::adm {

nlohmann::json deduce_unet(const checkpoint::StateDict& weights);
nlohmann::json deduce_classifier(const checkpoint::StateDict& weights);

}  // namespace sextant::networks::adm
