#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/network.h"

namespace sextant::networks::clip {

/// By the arguments of openai/CLIP's class CLIP, as config_of() finds them; a Clip.
std::unique_ptr<Network> make(const nlohmann::json& model);

}  // namespace sextant::networks::clip
