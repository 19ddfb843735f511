#include <cmath>
#include <random>

#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

/// Percentile of sorted values, interpolated linearly between neighbours.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Interval bootstrap(int64_t count, const std::function<double(const Tensor&)>& statistic, int64_t resamples,
                   double level, uint32_t seed) {
  if (count < 1 || resamples < 2 || !(level > 0 && level < 1)) {
    throw UsageError(c10::str("bootstrap: expected samples, 2 or more resamples and a level in (0, 1), got ", count,
                              ", ", resamples, " and ", level));
  }
  std::mt19937_64 bits(seed);
  std::vector<double> values;
  const Tensor indices = at::empty({count}, at::kLong);
  int64_t* const index = indices.data_ptr<int64_t>();
  for (int64_t i = 0; i < resamples; ++i) {
    // 53 bits scaled: the same numbers with every standard library, unlike its distributions.
    for (int64_t j = 0; j < count; ++j) {
      index[j] = static_cast<int64_t>(static_cast<double>(bits() >> 11) * 0x1p-53 * static_cast<double>(count));
    }
    values.push_back(statistic(indices));
    if (!std::isfinite(values.back())) {
      throw NumericError(c10::str("bootstrap: the statistic of resample ", i, " is not finite"));
    }
  }
  std::sort(values.begin(), values.end());
  return {percentile(values, (1 - level) / 2), percentile(values, (1 + level) / 2),
          at::tensor(values, at::kDouble).std().item<double>()};
}

Interval bootstrap_mean(const Tensor& values, int64_t resamples, double level, uint32_t seed) {
  if (values.dim() != 1) throw ShapeError(c10::str("bootstrap_mean: expected values [N], got ", values.sizes()));
  const Tensor wide = values.to(at::kCPU, at::kDouble);
  return bootstrap(
      wide.numel(), [&](const Tensor& indices) { return wide.index_select(0, indices).mean().item<double>(); },
      resamples, level, seed);
}

}  // namespace sextant::metrics
