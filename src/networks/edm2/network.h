#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/network.h"

namespace sextant::networks::edm2 {

/// By the arguments of NVlabs/edm2's class Precond; an EdmDenoiser.
std::unique_ptr<Network> make(const nlohmann::json& model);

}  // namespace sextant::networks::edm2
