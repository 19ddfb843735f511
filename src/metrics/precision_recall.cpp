#include <atomic>

#include "check.h"
#include "distances.h"
#include "sextant/metrics/features.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

struct Sets {
  Points reference;
  Points sample;
};

Sets prepared(const std::string& caller, const Tensor& reference, const Tensor& sample, int64_t neighbours) {
  const Tensor x = checked_rows(caller + ": reference features", reference);
  const Tensor y = checked_rows(caller + ": sample features", sample);
  check_same_width(caller.c_str(), x, y);
  if (neighbours < 1 || neighbours >= x.size(0) || neighbours >= y.size(0)) {
    throw UsageError(c10::str(caller, ": the ", neighbours, "-th nearest neighbour needs at least ", neighbours + 1,
                              " points in each set, got ", x.size(0), " references and ", y.size(0), " samples"));
  }
  const Frame frame = frame_of(x, y);
  return {Points(x, frame), Points(y, frame)};
}

/// Flags that several threads may raise.
using Flags = std::vector<std::atomic<bool>>;

Tensor to_tensor(const Flags& flags) {
  const Tensor tensor = at::empty({static_cast<int64_t>(flags.size())}, at::kBool);
  std::copy(flags.begin(), flags.end(), tensor.data_ptr<bool>());
  return tensor;
}

double share(const Tensor& flags) { return flags.to(at::kDouble).mean().item<double>(); }

}  // namespace

PrecisionRecall precision_recall(const Tensor& reference, const Tensor& sample, int64_t neighbours) {
  const auto [x, y] = prepared("precision_recall", reference, sample, neighbours);
  PrecisionRecall result;
  result.radii_squared_reference = squared_radii(x, neighbours);
  result.radii_squared_sample = squared_radii(y, neighbours);
  const double* const r = result.radii_squared_reference.data_ptr<double>();
  const double* const s = result.radii_squared_sample.data_ptr<double>();

  Flags x_inside(static_cast<size_t>(x.count()));
  Flags y_inside(static_cast<size_t>(y.count()));
  const Points& references = x;  // lambdas cannot capture structured bindings
  const Points& samples = y;
  for_each_row(references, samples, [&](int64_t i, const double* lower, const double* upper) {
    for (int64_t j = 0; j < samples.count(); ++j) {
      const auto within = [&](double squared_radius) {
        return upper[j] <= squared_radius ||
               (lower[j] <= squared_radius && squared_distance(references, i, samples, j) <= squared_radius);
      };
      if (!x_inside[i].load(std::memory_order_relaxed) && within(s[j]))
        x_inside[i].store(true, std::memory_order_relaxed);
      if (!y_inside[j].load(std::memory_order_relaxed) && within(r[i]))
        y_inside[j].store(true, std::memory_order_relaxed);
    }
  });
  result.reference_in_sample = to_tensor(x_inside);
  result.sample_in_reference = to_tensor(y_inside);
  result.precision = share(result.sample_in_reference);
  result.recall = share(result.reference_in_sample);
  const double sum = result.precision + result.recall;
  result.f_score = sum > 0 ? 2 * result.precision * result.recall / sum : 0;
  return result;
}

DensityCoverage density_coverage(const Tensor& reference, const Tensor& sample, int64_t neighbours) {
  const auto [x, y] = prepared("density_coverage", reference, sample, neighbours);
  const Tensor radii = squared_radii(x, neighbours);
  const double* const r = radii.data_ptr<double>();
  std::vector<int64_t> held(static_cast<size_t>(x.count()));  // samples in each ball
  const Points& references = x;
  const Points& samples = y;
  for_each_row(references, samples, [&](int64_t i, const double* lower, const double* upper) {
    for (int64_t j = 0; j < samples.count(); ++j) {
      held[i] += upper[j] < r[i] || (lower[j] < r[i] && squared_distance(references, i, samples, j) < r[i]);
    }
  });
  double balls = 0;
  double covered = 0;
  for (const int64_t count : held) {
    balls += static_cast<double>(count);
    covered += count > 0;
  }
  return {balls / (static_cast<double>(neighbours) * static_cast<double>(y.count())),
          covered / static_cast<double>(x.count())};
}

}  // namespace sextant::metrics
