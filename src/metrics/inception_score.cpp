#include "check.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

/// exp(mean KL(p(y|x) || p(y))) of the rows of log p(y|x).
double score_of(const Tensor& log_p) {
  const Tensor p = log_p.exp();
  const Tensor marginal = p.mean(0, /*keepdim=*/true);
  // p log p - p log q with 0 log 0 = 0: a class that never occurs adds nothing.
  const Tensor divergence = p * log_p - at::xlogy(p, marginal);
  return std::exp(divergence.sum(1).mean().item<double>());
}

MeanStd mean_and_deviation(const std::vector<double>& values) {
  const Tensor all = at::tensor(values, at::kDouble);
  return {all.mean().item<double>(), all.std(/*unbiased=*/false).item<double>()};
}

/// A permutation [N], as int64 on the CPU. Other numbers would count some rows several times and others not at all.
Tensor checked_order(const Tensor& permutation) {
  if (at::isIntegralType(permutation.scalar_type(), /*includeBool=*/false)) {
    const Tensor order = permutation.detach().to(at::kCPU, at::kLong);
    if (at::equal(std::get<0>(order.sort()), at::arange(order.size(0), at::kLong))) return order;
  }
  throw UsageError(c10::str("inception_score_splits: expected a permutation, every number from 0 to N - 1 once, got ",
                            permutation.scalar_type(), " ", permutation.sizes()));
}

}  // namespace

MeanStd inception_score_chunks(const Tensor& logits, int64_t chunk) {
  const Tensor log_p = at::log_softmax(checked_rows("inception_score_chunks: logits", logits), 1);
  if (chunk < 1) throw UsageError(c10::str("inception_score_chunks: chunks need at least one sample, got ", chunk));
  std::vector<double> scores;
  for (int64_t i = 0; i < log_p.size(0); i += chunk) scores.push_back(score_of(log_p.slice(0, i, i + chunk)));
  return mean_and_deviation(scores);
}

MeanStd inception_score_splits(const Tensor& logits, int64_t splits, const Tensor& permutation) {
  const Tensor rows = checked_rows("inception_score_splits: logits", logits);
  const int64_t n = rows.size(0);
  if (splits < 1 || splits > n) {
    throw UsageError(c10::str("inception_score_splits: expected 1 to ", n, " splits of ", n, " samples, got ", splits));
  }
  if (permutation.defined() && (permutation.dim() != 1 || permutation.size(0) != n)) {
    throw ShapeError(c10::str("inception_score_splits: expected a permutation [", n, "], got ", permutation.sizes()));
  }
  const Tensor log_p =
      at::log_softmax(permutation.defined() ? rows.index_select(0, checked_order(permutation)) : rows, 1);
  std::vector<double> scores;
  for (int64_t i = 0; i < splits; ++i) scores.push_back(score_of(log_p.slice(0, i * n / splits, (i + 1) * n / splits)));
  return mean_and_deviation(scores);
}

}  // namespace sextant::metrics
