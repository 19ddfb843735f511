#include "inception.h"

#include <algorithm>
#include <cmath>

#include "sextant/metrics/metrics.h"

namespace sextant::evaluation {
namespace {

constexpr int64_t kSplits = 10, kChunk = 5000;
constexpr uint32_t kSeed = 2020;  ///< torch-fidelity's

metrics::MeanStd score_of_chunks(const Tensor& logits) { return metrics::inception_score_chunks(logits, kChunk); }

}  // namespace

bool is_sorted_by_class(const Tensor& labels) {
  if (!labels.defined() || labels.numel() < 2) return false;
  const auto n = static_cast<double>(labels.numel());
  const Tensor shares = std::get<2>(at::_unique2(labels, /*sorted=*/true, /*return_inverse=*/false,
                                                 /*return_counts=*/true))
                            .to(at::kDouble) /
                        n;
  const double expected = (n - 1) * (1 - shares.square().sum().item<double>());
  const double changes = (labels.slice(0, 1) != labels.slice(0, 0, -1)).sum().item<double>();
  return shares.numel() > 1 && changes < expected / 2;
}

InceptionScores inception_scores(const Tensor& logits, const Tensor& labels, Protocol protocol) {
  const int64_t n = logits.size(0);
  InceptionScores result;
  result.sorted = is_sorted_by_class(labels);
  if (protocol != Protocol::kOpenAi) {
    const int64_t splits = std::min(kSplits, n);
    for (int64_t i = 0; i < splits; ++i) result.parts.push_back((i + 1) * n / splits - i * n / splits);
    result.score = metrics::inception_score_splits(logits, splits, metrics::numpy_permutation(n, kSeed));
    return result;
  }
  for (int64_t i = 0; i < n; i += kChunk) result.parts.push_back(std::min(kChunk, n - i));
  result.score = score_of_chunks(logits);
  if (result.parts.size() == 1) return result;
  const metrics::MeanStd shuffled = score_of_chunks(logits.index_select(0, metrics::numpy_permutation(n, kSeed)));
  constexpr double kChance = 0.02;
  if (result.sorted || std::abs(shuffled.mean - result.score.mean) > kChance * shuffled.mean)
    result.shuffled = shuffled;
  return result;
}

}  // namespace sextant::evaluation
