// How published ImageNet weights are described.
#pragma once

#include <string>

#include "internal/networks/family.h"

namespace sextant::networks {

/// An architecture with published ImageNet weights: 1000 classes, torchvision's mean and deviation.
Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model);

}  // namespace sextant::networks
