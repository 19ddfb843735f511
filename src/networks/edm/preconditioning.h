#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/network.h"

namespace sextant::networks::edm {

/// By "precond" and the arguments of NVlabs/edm's class of that name; an EdmDenoiser.
std::unique_ptr<Network> make(const nlohmann::json& model);

}  // namespace sextant::networks::edm
