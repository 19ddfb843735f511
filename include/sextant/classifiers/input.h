// What a classifier is given of the diffusion model's pixels x in [-1, 1]: their size and their range.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sextant/guidance/classifier.h"

namespace sextant::classifiers {

enum class Resize {
  kBilinear,  ///< triangle filter, as wide as the shrinkage: antialiased
  kBicubic,   ///< Keys' cubic with a = -1/2, antialiased likewise: PIL's, which CLIP was trained on
  kArea,      ///< mean of the pixels covered
};

/// Each filter with its word: "bilinear", "bicubic", "area".
const std::vector<std::pair<std::string, Resize>>& resize_words();
/// UsageError for another word.
Resize parse_resize(const std::string& word);

/// x [N, C, H, W] resampled to [N, C, height, width], differentiable; x itself where it has that size.
Tensor resized(const Tensor& x, int64_t height, int64_t width, Resize how);

struct InputConvention {
  double low = -1;  ///< range of the pixels that the classifier knows
  double high = 1;
  std::vector<double> mean;  ///< per channel in that range, subtracted; empty for none
  std::vector<double> std;   ///< divides
  int64_t size = 0;          ///< resized to size x size; 0 is the network's own size if it has one
  Resize resize = Resize::kBilinear;
};

/// The classifier of images that are resized to size x size for it.
guidance::Classifier sized(guidance::Classifier classifier, int64_t size, Resize how);

/// The classifier of ((x + 1)/2 (high - low) + low - mean) / std. The size is not looked at. ShapeError at the first
/// image that has another number of channels than mean.
guidance::Classifier normalised(guidance::Classifier classifier, const InputConvention& convention);

}  // namespace sextant::classifiers
