// What share of two sets lies in the other's manifold: precision and recall, density and coverage. See gaussian.h for
// what all metrics have in common.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

struct PrecisionRecall {
  double precision = 0;            ///< share of samples inside the reference's manifold
  double recall = 0;               ///< share of the reference inside the samples' manifold
  double f_score = 0;              ///< harmonic mean; 0 where both are 0
  Tensor sample_in_reference;      ///< [samples] bool
  Tensor reference_in_sample;      ///< [references] bool
  Tensor radii_squared_reference;  ///< [references]
  Tensor radii_squared_sample;     ///< [samples]
};

/// Improved precision and recall (Kynkaanniemi et al. 2019). The manifold of a set is the union of balls around its
/// points, each reaching to the point's `neighbours`-th nearest neighbour in the set, itself not counted; the boundary
/// belongs to it. OpenAI's evaluator and torch-fidelity agree on this. Decisions are those of float64 distances; memory
/// is a small multiple of the features'. Both sets need more than `neighbours` points.
PrecisionRecall precision_recall(const Tensor& reference, const Tensor& sample, int64_t neighbours = 3);

struct DensityCoverage {
  double density = 0;   ///< mean number of reference balls a sample lies in, over `neighbours`; may exceed 1
  double coverage = 0;  ///< share of reference balls that hold a sample
};

/// Naeem et al. 2020, whose balls are open.
DensityCoverage density_coverage(const Tensor& reference, const Tensor& sample, int64_t neighbours = 5);

}  // namespace sextant::metrics
