// Networks whose inner values describe images, for the Frechet distance and its relatives.
#pragma once

#include <map>
#include <string>

#include "sextant/networks/network.h"

namespace sextant::networks {

/// Brings its own preprocessing: everybody hands it plain pixels.
class FeatureNetwork : public Network {
 public:
  using Features = std::map<std::string, Tensor>;

  /// images [B, C, H, W], pixels 0 to 255, uint8 or floating point. Every feature that the network has, by name, each
  /// [B, D] in float32 at least, rows independent of the rest of the batch:
  ///   pool             features of the Frechet distance, the kernel distance, precision and recall
  ///   spatial          features of the spatial Frechet distance (Inception: 2023)
  ///   logits           of the network's own classes
  ///   logits_unbiased  without the last layer's bias; their softmax over all classes is the inception score's
  ///   feat768          averages of an earlier layer (Inception)
  /// ShapeError for other shapes.
  virtual Features forward(const Tensor& images) const = 0;
  virtual int64_t channels() const = 0;             ///< C
  virtual int64_t image_size() const { return 0; }  ///< H and W, or 0 where every size will do
};

}  // namespace sextant::networks
