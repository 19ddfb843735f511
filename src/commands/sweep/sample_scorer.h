// What an independent network makes of samples.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sextant/evaluation/embed.h"

namespace sextant::commands {

struct SampleScore {
  double accuracy = 0;            ///< share of the images that it reads as their label
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
  evaluation::FeatureExtractor extractor_;
  std::optional<evaluation::Embedding> reference_;
};

}  // namespace sextant::commands
