// Frechet distance between two sets of images; FID, sFID and FD_DINOv2 are this on different features. See gaussian.h
// for what all metrics have in common.
#pragma once

#include <cstdint>
#include <vector>

#include "sextant/metrics/gaussian.h"
#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

struct FrechetDistance {
  double value = 0;       ///< >= 0
  double mean_term = 0;   ///< |mu1 - mu2|^2
  double trace_root = 0;  ///< Tr (S1 S2)^(1/2)
};

/// |mu1 - mu2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)). FID, sFID and FD_DINOv2 are this on different features. With S = L
/// L^T the trace of the root is the sum of the singular values of L1^T L2: no complex root and no regularisation, exact
/// for singular covariances (fewer samples than dimensions) too. Throws ShapeError where a covariance is not symmetric.
FrechetDistance frechet_distance(const Gaussian& a, const Gaussian& b);

/// Frechet distance to `reference` as the number of samples goes to infinity (Chong & Forsyth 2020): distances of
/// `points` subsets of `features`, of sizes from `smallest` to N, against 1/size; the intercept of their least-squares
/// line.
struct FrechetInfinity {
  double value = 0;
  double slope = 0;               ///< of the distance over 1/N
  std::vector<int64_t> sizes;     ///< of the subsets
  std::vector<double> distances;  ///< of the subsets
};
FrechetInfinity frechet_infinity(const Tensor& features, const Gaussian& reference, int64_t smallest,
                                 int64_t points = 15, uint32_t seed = 0);

}  // namespace sextant::metrics
