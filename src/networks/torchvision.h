// What torchvision's families of classifiers share.
#pragma once

#include <string>

#include "internal/networks/presets.h"
#include "layers.h"
#include "sextant/networks/networks.h"

namespace sextant::networks {

/// Throws ShapeError unless x is [B, channels, side, side], of any height and width where `side` is 0.
void check_images(const char* network, const Tensor& x, int64_t channels, int64_t side = 0);

/// In float32 at least.
Tensor as_logits(const Tensor& y);

/// The last linear layer's answer to what is before it, telling `seen`, where it is not empty, the outputs of both.
template <class LayerSeen>
Tensor classified(const Linear& last, const Tensor& before, const char* name_before, const char* name_last,
                  const LayerSeen& seen) {
  Tensor f = last(before);
  if (seen) {
    seen(name_before, before);
    seen(name_last, f);
  }
  return f;
}

/// `text` with the first `from` in it replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// An architecture with published ImageNet weights: 1000 classes, torchvision's mean and deviation.
Preset imagenet_preset(const std::string& name, const char* type, int64_t size, nlohmann::json model);

}  // namespace sextant::networks
