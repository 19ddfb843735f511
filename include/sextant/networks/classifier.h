#pragma once

#include <functional>

#include "sextant/networks/network.h"

namespace sextant::networks {

/// A network that classifies images.
class ClassifierNetwork : public Network {
 public:
  /// x [B, C, H, W] in the network's own input convention; t [B] timesteps, ignored unless `uses_time()`.
  /// Returns logits [B, K] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t = {}) const = 0;
  virtual bool uses_time() const { return false; }
  virtual int64_t num_classes() const = 0;
  virtual int64_t image_size() const { return 0; }  ///< height and width that x must have; 0 takes any

  /// Layers that describe an image, called as the reference calls the module, the one before the last linear layer
  /// first; empty for none.
  virtual std::vector<std::string> feature_layers() const { return {}; }
  /// The output of `layer` [B, D] in float32 at least, averaged over the pixels where it has any. UsageError that lists
  /// feature_layers() for another word.
  Tensor features(const Tensor& x, const std::string& layer) const;

 protected:
  /// Hears the name and the output of each of feature_layers().
  using LayerSeen = std::function<void(const std::string& layer, const Tensor& output)>;
  /// forward(x), telling `seen`, which may be empty. For networks with feature_layers().
  virtual Tensor trace(const Tensor& x, const LayerSeen& seen) const;
};

/// Mean and deviation of ImageNet's pixels in [0, 1], per channel: its classifiers are normalised by them.
inline constexpr double kImageNetMean[3] = {0.485, 0.456, 0.406};
inline constexpr double kImageNetStd[3] = {0.229, 0.224, 0.225};

}  // namespace sextant::networks
