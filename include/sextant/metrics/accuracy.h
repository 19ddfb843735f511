// How often a classifier agrees with the label that an image was drawn for. See gaussian.h for what all metrics have in
// common.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

struct ClassAccuracy {
  double overall = 0;
  Tensor count;     ///< [K] int64 samples of each class
  Tensor accuracy;  ///< [K]; 0 where a class has no samples
};

/// How often a classifier sees in a sample the class it was drawn for. labels [N] int64 in [0, K); the first of equal
/// logits wins.
ClassAccuracy class_accuracy(const Tensor& logits, const Tensor& labels);

}  // namespace sextant::metrics
