// One factory per family of networks: builds the network that the "model" object of a config.json describes, without
// weights. A missing, unknown or unusable entry throws CheckpointError that names it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks.h"

namespace sextant::networks {

std::unique_ptr<Network> make_adm_unet(const nlohmann::json& model);     // arguments of guided-diffusion's UNetModel
std::unique_ptr<Network> make_adm_encoder(const nlohmann::json& model);  // arguments of its EncoderUNetModel
std::unique_ptr<Network> make_resnet(const nlohmann::json& model);
std::unique_ptr<Network> make_cifar_resnet(const nlohmann::json& model);
std::unique_ptr<Network> make_mnist_features(const nlohmann::json& model);
std::unique_ptr<Network> make_inception(const nlohmann::json& model);

}  // namespace sextant::networks
