#pragma once

#include "sextant/networks/network.h"

namespace sextant::networks {

/// CLIP: images and texts in one space (Radford et al. 2021).
class Clip : public Network {
 public:
  /// image [B, 3, R, R], normalised with the mean and deviation of kClipMean and kClipStd. Returns [B, D], not
  /// normalised.
  virtual Tensor image_features(const Tensor& image) const = 0;
  /// tokens [N, L] int64, as ClipTokenizer makes them. Returns [N, D], not normalised.
  virtual Tensor text_features(const Tensor& tokens) const = 0;
  /// exp(logit_scale) cos(image_i, text_j) [B, N] of features [B, D] and [N, D], normalised or not.
  virtual Tensor logits(const Tensor& image_features, const Tensor& text_features) const = 0;
  virtual int64_t image_resolution() const = 0;  ///< R
  virtual int64_t context_length() const = 0;    ///< L
};

inline constexpr double kClipMean[3] = {0.48145466, 0.4578275, 0.40821073};
inline constexpr double kClipStd[3] = {0.26862954, 0.26130258, 0.27577711};

}  // namespace sextant::networks
