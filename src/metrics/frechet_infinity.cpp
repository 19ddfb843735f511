#include "check.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {

FrechetInfinity frechet_infinity(const Tensor& features, const Gaussian& reference, int64_t smallest, int64_t points,
                                 uint32_t seed) {
  const Tensor rows = checked_rows("frechet_infinity: features", features);
  const int64_t n = rows.size(0);
  if (smallest < 2 || smallest >= n || points < 2) {
    throw UsageError(c10::str("frechet_infinity: expected at least 2 subsets of 2 <= smallest < ", n, " samples, got ",
                              points, " subsets from ", smallest));
  }
  FrechetInfinity result;
  std::vector<double> inverse;
  for (int64_t i = 0; i < points; ++i) {
    const int64_t size = smallest + (n - smallest) * i / (points - 1);
    const Tensor chosen = numpy_permutation(n, seed + static_cast<uint32_t>(i)).slice(0, 0, size);
    result.sizes.push_back(size);
    result.distances.push_back(frechet_distance(gaussian_of(rows.index_select(0, chosen)), reference).value);
    inverse.push_back(1.0 / static_cast<double>(size));
  }
  const Tensor x = at::tensor(inverse, at::kDouble);
  const Tensor y = at::tensor(result.distances, at::kDouble);
  const Tensor from_mean = x - x.mean();
  result.slope = (from_mean * y).sum().item<double>() / from_mean.square().sum().item<double>();
  result.value = y.mean().item<double>() - result.slope * x.mean().item<double>();
  return result;
}

}  // namespace sextant::metrics
