// Inception Score (Salimans et al. 2016) of logits. See gaussian.h for what all metrics have in common.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

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

}  // namespace sextant::metrics
