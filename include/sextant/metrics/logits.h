// What a classifier's logits say about samples. See features.h for what all metrics have in common.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

// Inception Score (Salimans et al. 2016) of logits.

struct MeanStd {
  double mean = 0;
  double standard_deviation = 0;  ///< of the population: divided by n
};

/// exp(mean KL(p(y|x) || p(y))) of consecutive chunks of `chunk` samples, a short last chunk counted like a full one
/// (Salimans et al. 2016, as OpenAI's evaluator computes it). Logits of the FID network are without the bias of its
/// last layer.
MeanStd inception_score_chunks(const Tensor& logits, int64_t chunk = 5000);

/// The same over `splits` equal parts [i N / splits, (i + 1) N / splits) of logits[permutation]; an undefined
/// permutation keeps the order. torch-fidelity takes 10 splits of numpy_permutation(N, 2020).
MeanStd inception_score_splits(const Tensor& logits, int64_t splits = 10, const Tensor& permutation = {});

// The random order in which published evaluators take their samples.

/// numpy.random.RandomState(seed).permutation(count): [count] int64.
Tensor numpy_permutation(int64_t count, uint32_t seed);

// How often a classifier agrees with the label that an image was drawn for.

struct ClassAccuracy {
  double overall = 0;
  Tensor count;     ///< [K] int64 samples of each class
  Tensor accuracy;  ///< [K]; 0 where a class has no samples
};

/// How often a classifier sees in a sample the class it was drawn for. labels [N] int64 in [0, K); the first of equal
/// logits wins.
ClassAccuracy class_accuracy(const Tensor& logits, const Tensor& labels);

}  // namespace sextant::metrics
