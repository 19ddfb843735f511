// Hyper-parameters read off the shapes of a state dict.
#pragma once

#include <nlohmann/json.hpp>

#include "sextant/checkpoint/state_dict.h"

namespace sextant::networks {

// The "model" object of a config.json, or null where the names are not those of the family. What shapes do not show
// (strides, pooling) has the family's usual value. Whether every tensor fits is for the caller to check.
nlohmann::json deduce_resnet(const checkpoint::StateDict& weights);
nlohmann::json deduce_cifar_resnet(const checkpoint::StateDict& weights);
nlohmann::json deduce_mnist_features(const checkpoint::StateDict& weights);
nlohmann::json deduce_clip(const checkpoint::StateDict& weights);
nlohmann::json deduce_adm_unet(const checkpoint::StateDict& weights);
nlohmann::json deduce_adm_encoder(const checkpoint::StateDict& weights);
/// What the two last take as usual.
inline constexpr const char* kAdmAssumed =
    "image_size, the heads of the attention (num_head_channels or num_heads, use_new_attention_order) and the "
    "diffusion "
    "process";

/// Size `dim` of a tensor, 0 where there is none.
int64_t size_of(const checkpoint::StateDict& weights, const std::string& name, int64_t dim);

}  // namespace sextant::networks
