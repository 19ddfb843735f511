// Images become features.
//
// Memory is bounded by the features that are kept (none, or D float32 an image), never by the images. UsageError,
// DataError and NumericError name the file or image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sextant/evaluation/extractor.h"
#include "sextant/guidance/classifier.h"
#include "sextant/metrics/gaussian.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/stop.h"

namespace sextant::evaluation {

struct EmbedOptions {
  int64_t batch = 64;  ///< images per forward pass
  static constexpr Range kBatch{1, 1e6};
  bool skip_bad = false;                 ///< leave out images that cannot be read, instead of failing at the first
  bool keep_features = true;             ///< for precision, recall, KID and bootstrap intervals
  guidance::Classifier classifier = {};  ///< judges every image beside the network, or none
  data::ReadOptions read = {};           ///< size, crop and classes of open_images_for(), used by open_reference()
  bool resize = false;  ///< take images of several sizes; without it one of another size is an error that names it
};

/// What a network made of a set of images.
struct Embedding {
  std::string source;                        ///< path of the set
  int64_t count = 0;                         ///< images embedded; 0 where a statistics file does not say
  metrics::Gaussian pool;                    ///< of the "pool" features
  std::optional<metrics::Gaussian> spatial;  ///< of the "spatial" features, for sFID
  Tensor features;                           ///< [count, D] float32 "pool" features, or undefined
  Tensor logits;                             ///< [count, K] float32 for the inception score, or undefined
  Tensor judge_logits;                       ///< [count, K] float32 of EmbedOptions::classifier, or undefined
  Tensor labels;                             ///< [count] int64, or undefined
  std::vector<std::string> skipped;          ///< names of images left out
};

/// Embeds every image, decoding ahead on other threads. Nothing when `stop` was requested. DataError for fewer than two
/// images.
std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options, Progress& progress,
                               const Stop& stop);

}  // namespace sextant::evaluation
