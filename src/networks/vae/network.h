#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/network.h"

namespace sextant::networks::vae {

/// By config.json of diffusers' AutoencoderKL; an Autoencoder.
std::unique_ptr<Network> make(const nlohmann::json& model);

}  // namespace sextant::networks::vae
