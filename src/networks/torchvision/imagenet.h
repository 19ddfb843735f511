// What torchvision's families of classifiers share: their names in files, and how their ImageNet weights are described.
#pragma once

#include <string>

#include "internal/networks/presets.h"

namespace sextant::networks {

/// `text` with the first `from` in it replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// An architecture with published ImageNet weights: 1000 classes, torchvision's mean and deviation.
Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model);

}  // namespace sextant::networks
