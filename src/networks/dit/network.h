#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/network.h"

namespace sextant::networks::dit {

/// By the arguments of facebookresearch/DiT's class DiT; a NoiseNetwork.
std::unique_ptr<Network> make(const nlohmann::json& model);

}  // namespace sextant::networks::dit
