// What torchvision's families of classifiers share.
#pragma once

#include <string>

#include "networks/presets.h"
#include "sextant/networks.h"

namespace sextant::networks {

/// Throws ShapeError unless x is [B, channels, side, side], of any height and width where `side` is 0.
void check_images(const char* network, const Tensor& x, int64_t channels, int64_t side = 0);

/// In float32 at least.
Tensor as_logits(const Tensor& y);

/// `text` with the first `from` in it replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// An architecture with published ImageNet weights: 1000 classes, torchvision's mean and deviation.
Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model);

}  // namespace sextant::networks
