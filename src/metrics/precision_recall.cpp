#include <atomic>

#include "check.h"
#include "distances.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

struct Sets {
  Points reference;
  Points sample;
};

Sets prepared(const std::string& caller, const Tensor& reference, const Tensor& sample, int64_t neighbours) {
  const Tensor x = checked_rows_as_given(caller + ": reference features", reference);
  const Tensor y = checked_rows_as_given(caller + ": sample features", sample);
  check_same_width(caller.c_str(), x, y);
  if (neighbours < 1) throw UsageError(c10::str(caller, ": expected neighbours of at least 1, got ", neighbours));
  if (neighbours >= x.size(0) || neighbours >= y.size(0)) {
    throw UsageError(c10::str(caller, ": the ", neighbours, "-th nearest neighbour needs at least ", neighbours + 1,
                              " points in each set, got ", x.size(0), " references and ", y.size(0), " samples"));
  }
  const Frame frame = frame_of(x, y);
  return {Points(x, frame), Points(y, frame)};
}

/// Flags that several threads may raise.
using Flags = std::vector<std::atomic<bool>>;

void add_up(const Tensor& numbers, const Together& together) {
  if (together.size > 1) together.sum(numbers);
}

/// Those that some process raised.
Tensor to_tensor(const Flags& flags, const Together& together) {
  const Tensor raised = at::empty({static_cast<int64_t>(flags.size())}, at::kDouble);
  std::copy(flags.begin(), flags.end(), raised.data_ptr<double>());
  add_up(raised, together);
  return raised > 0;
}

/// Those that process `rank` of `size` takes.
Rows part_of(const Points& points, int64_t rank, int64_t size) {
  return {points.count() * rank / size, points.count() * (rank + 1) / size};
}

struct Radii {
  Tensor reference, sample;
};

/// Half of the processes take the one set and half the other, because the distances within a whole set are computed
/// once for either point.
Radii radii_of(const Sets& sets, int64_t neighbours, const Together& together) {
  if (together.size == 1) {
    return {squared_radii(sets.reference, part_of(sets.reference, 0, 1), neighbours),
            squared_radii(sets.sample, part_of(sets.sample, 0, 1), neighbours)};
  }
  const int64_t half = together.size / 2;
  const bool first = together.rank < half;
  Radii radii{at::zeros({sets.reference.count()}, at::kDouble), at::zeros({sets.sample.count()}, at::kDouble)};
  const Points& points = first ? sets.reference : sets.sample;
  const Rows rows =
      first ? part_of(points, together.rank, half) : part_of(points, together.rank - half, together.size - half);
  (first ? radii.reference : radii.sample) = squared_radii(points, rows, neighbours);
  add_up(radii.reference, together);
  add_up(radii.sample, together);
  return radii;
}

double share(const Tensor& flags) { return flags.to(at::kDouble).mean().item<double>(); }

}  // namespace

PrecisionRecall precision_recall(const Tensor& reference, const Tensor& sample, int64_t neighbours,
                                 const Together& together) {
  const Sets sets = prepared("precision_recall", reference, sample, neighbours);
  const Points& references = sets.reference;
  const Points& samples = sets.sample;
  const Radii radii = radii_of(sets, neighbours, together);
  PrecisionRecall result;
  result.radii_squared_reference = radii.reference;
  result.radii_squared_sample = radii.sample;
  const double* const r = result.radii_squared_reference.data_ptr<double>();
  const double* const s = result.radii_squared_sample.data_ptr<double>();

  Flags x_inside(static_cast<size_t>(references.count()));
  Flags y_inside(static_cast<size_t>(samples.count()));
  const Rows rows = part_of(references, together.rank, together.size);
  for_each_row(references, rows, samples, [&](int64_t i, const double* lower, const double* upper) {
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
  result.reference_in_sample = to_tensor(x_inside, together);
  result.sample_in_reference = to_tensor(y_inside, together);
  result.precision = share(result.sample_in_reference);
  result.recall = share(result.reference_in_sample);
  const double sum = result.precision + result.recall;
  result.f_score = sum > 0 ? 2 * result.precision * result.recall / sum : 0;
  return result;
}

DensityCoverage density_coverage(const Tensor& reference, const Tensor& sample, int64_t neighbours,
                                 const Together& together) {
  const auto [references, samples] = prepared("density_coverage", reference, sample, neighbours);
  const Points& x = references;  // lambdas cannot capture structured bindings
  const Points& y = samples;
  const Rows rows = part_of(x, together.rank, together.size);
  const Tensor radii = squared_radii(x, rows, neighbours);
  const double* const r = radii.data_ptr<double>();
  std::vector<int64_t> held(static_cast<size_t>(x.count()));  // samples in each ball
  for_each_row(x, rows, y, [&](int64_t i, const double* lower, const double* upper) {
    for (int64_t j = 0; j < y.count(); ++j) {
      held[i] += upper[j] < r[i] || (lower[j] < r[i] && squared_distance(x, i, y, j) < r[i]);
    }
  });
  const Tensor sums = at::zeros({2}, at::kDouble);  // samples in balls; balls that hold one
  double* const sum = sums.data_ptr<double>();
  for (const int64_t count : held) {
    sum[0] += static_cast<double>(count);
    sum[1] += count > 0;
  }
  add_up(sums, together);
  return {sum[0] / (static_cast<double>(neighbours) * static_cast<double>(y.count())),
          sum[1] / static_cast<double>(x.count())};
}

}  // namespace sextant::metrics
