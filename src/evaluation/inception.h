// The Inception Score as each protocol cuts the images into parts, and whether it depends on their order.
#pragma once

#include <optional>
#include <vector>

#include "sextant/evaluation/evaluate.h"
#include "sextant/metrics/metrics.h"

namespace sextant::evaluation {

struct InceptionScores {
  metrics::MeanStd score;
  std::vector<int64_t> parts;  ///< images in each
  /// The score after a fixed shuffle, where the protocol goes by the order and that matters: the images are sorted by
  /// class, or the two differ by more than shuffling explains.
  std::optional<metrics::MeanStd> shuffled;
  bool sorted = false;  ///< the labels say that the images are sorted by class
};

/// logits [N, K]; labels [N] int64 or undefined.
InceptionScores inception_scores(const Tensor& logits, const Tensor& labels, Protocol protocol);

/// Whether labels [N] change between neighbours less than half as often as those of shuffled images.
bool is_sorted_by_class(const Tensor& labels);

}  // namespace sextant::evaluation
