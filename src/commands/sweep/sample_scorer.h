// What an independent network makes of samples.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sextant/evaluation/evaluate.h"

namespace sextant::commands {

struct SampleScore {
  /// Share of the images that it reads as their label; none of Inception, whose 1008 classes are nobody's labels.
  std::optional<double> accuracy;
  std::optional<double> frechet;  ///< distance to the reference; none with fewer than two images or without a reference
  int64_t count = 0;
};

class SampleScorer {
 public:
  /// `network` is a folder or a checkpoint file of a feature network that knows the labels; `reference` statistics of
  /// its features or images, or "". UsageError when the two do not fit.
  SampleScorer(const std::string& network, const std::string& reference, at::Device device);

  /// Scores samples.npz, by the metrics of `sextant evaluate`.
  SampleScore score(const std::filesystem::path& samples) const;

 private:
  bool knows_labels_of(int64_t largest, int64_t classes) const;

  evaluation::FeatureExtractor extractor_;
  std::optional<evaluation::Embedding> reference_;
};

}  // namespace sextant::commands
