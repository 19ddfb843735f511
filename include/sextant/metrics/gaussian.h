// Mean and covariance of features: the Gaussian that a Frechet distance compares.
//
// Features are [N, D], one row per image, logits [N, K] of an image classifier: float32 or float64, any device. What is
// made of them is computed in float64 on the CPU, on as many threads as libtorch uses within one operation; results do
// not depend on that number. No function of this module keeps state, draws from a hidden generator or changes its
// arguments. All throw ShapeError for a wrong shape or dtype and NumericError, which names the first bad row, for NaN
// or infinity.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

/// Mean and covariance of a set of features.
struct Gaussian {
  Tensor mean;        ///< [D]
  Tensor covariance;  ///< [D, D], divided by count - 1
  int64_t count = 0;  ///< samples behind it; 0 where a file does not say
};

/// Collects features batch by batch. Blocks are centred on their own mean and merged (Chan et al. 1983), so nothing
/// cancels however far the mean is from zero; memory is D^2 numbers whatever the number of samples.
class GaussianAccumulator {
 public:
  explicit GaussianAccumulator(int64_t dimensions);

  void add(const Tensor& features);
  void merge(const GaussianAccumulator& other);

  int64_t count() const { return count_; }
  int64_t dimensions() const { return mean_.numel(); }
  /// Throws NumericError for fewer than two samples, which have no covariance.
  Gaussian gaussian() const;

 private:
  void add_block(const Tensor& block);
  void merge_mean(const Tensor& mean, int64_t count);

  int64_t count_ = 0;
  Tensor mean_;     ///< [D]
  Tensor scatter_;  ///< [D, D] sum of (x - mean)(x - mean)^T; its lower triangle counts
};

Gaussian gaussian_of(const Tensor& features);

}  // namespace sextant::metrics
