// What classifiers share: the check of what they are given, and their last layer.
#pragma once

#include "layers.h"
#include "sextant/networks/network.h"

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

}  // namespace sextant::networks
