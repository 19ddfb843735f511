#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "check.h"
#include "internal/kernels/product.h"
#include "numpy_random.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

constexpr int64_t kKernelRows = 192;  ///< of the kernel matrix in memory at a time; half of them lie above a diagonal

/// One set of features [N, D], ready for products from either side.
struct Side {
  Side(const Tensor& x, const Kernel& kernel) : rows(x), packed(x.t()) {
    if (kernel.kind != Kernel::Kind::kPolynomial) squares = x.to(at::kDouble).square().sum(1);
  }
  int64_t count() const { return rows.size(0); }

  Tensor rows;
  kernels::PackedMatrix packed;  ///< rows^T
  Tensor squares;                ///< [N] |x|^2, float64, for kernels of distances
};

/// Puts k(x, y_j) in place of the dot products x . y_j.
void kernel_of_dots(std::vector<double>& dots, const Side& x, int64_t i, const Side& y, double gamma,
                    const Kernel& kernel) {
  if (kernel.kind == Kernel::Kind::kPolynomial) {
    for (double& dot : dots) {
      const double base = dot * gamma + kernel.offset;
      dot = base;
      for (int power = 1; power < kernel.degree; ++power) dot *= base;
    }
    return;
  }
  const double x_square = x.squares.data_ptr<double>()[i];
  const double* const y_squares = y.squares.data_ptr<double>();
  const double rate = -1 / (2 * kernel.sigma * kernel.sigma);
  for (size_t j = 0; j < dots.size(); ++j) {
    dots[j] = std::exp(rate * std::max(0.0, x_square + y_squares[j] - 2 * dots[j]));
  }
}

enum class Pairs {
  kAll,
  kBelow,  ///< (i, j) with j <= i
};

/// Calls `visit` with k(x_i, y_j) for the pairs of each row i, from several threads at once. Memory: kKernelRows rows.
void for_each_row(Pairs pairs, const Side& x, const Side& y, const Kernel& kernel,
                  const std::function<void(int64_t i, const std::vector<double>& values)>& visit) {
  const double gamma = kernel.gamma > 0 ? kernel.gamma : 1.0 / static_cast<double>(x.rows.size(1));
  for (int64_t first = 0; first < x.count(); first += kKernelRows) {
    const int64_t last = std::min(x.count(), first + kKernelRows);
    const int64_t columns = pairs == Pairs::kAll ? y.count() : last;
    const Tensor dots = kernels::product(x.rows.slice(0, first, last), y.packed, columns);
    AT_DISPATCH_FLOATING_TYPES(dots.scalar_type(), "kernel_distance", [&] {
      at::parallel_for(first, last, 16, [&](int64_t begin, int64_t end) {
        std::vector<double> values;
        for (int64_t i = begin; i < end; ++i) {
          const scalar_t* const row = dots.data_ptr<scalar_t>() + (i - first) * columns;
          values.assign(row, row + (pairs == Pairs::kAll ? columns : i + 1));
          kernel_of_dots(values, x, i, y, gamma, kernel);
          visit(i, values);
        }
      });
    });
  }
}

/// Rows of one set that each of some subsets takes, in the set's order; a subset may take a row twice.
struct Taken {
  /// indices [subsets, size] into `count` rows
  Taken(const Tensor& indices, int64_t count) : places(static_cast<size_t>(count)) {
    const Tensor sorted = std::get<0>(indices.sort(1)).contiguous();
    for (int64_t subset = 0; subset < sorted.size(0); ++subset) {
      const int64_t* const from = sorted.data_ptr<int64_t>() + subset * sorted.size(1);
      rows.emplace_back(from, from + sorted.size(1));
      for (int64_t place = 0; place < sorted.size(1); ++place) places[from[place]].push_back({subset, place});
    }
  }
  int64_t size() const { return static_cast<int64_t>(rows[0].size()); }

  struct Place {
    int64_t subset, at;
  };
  std::vector<std::vector<int64_t>> rows;
  std::vector<std::vector<Place>> places;  ///< where each row stands
};

/// Of each subset the sum of k(x_i, y_j) over its pairs, those of a row with itself left out where they lie below the
/// diagonal; in float64: each row from left to right, then the rows.
std::vector<double> sums_over(Pairs pairs, const Side& x, const Taken& of_x, const Side& y, const Taken& of_y,
                              const Kernel& kernel) {
  const int64_t size = of_x.size();
  std::vector<double> sums(of_x.rows.size() * static_cast<size_t>(size));
  for_each_row(pairs, x, y, kernel, [&](int64_t i, const std::vector<double>& values) {
    for (const auto [subset, at] : of_x.places[i]) {
      const std::vector<int64_t>& columns = of_y.rows[subset];
      const int64_t count = pairs == Pairs::kAll ? static_cast<int64_t>(columns.size()) : at;
      double sum = 0;
      for (int64_t j = 0; j < count; ++j) sum += values[columns[j]];
      sums[subset * size + at] = sum;
    }
  });
  std::vector<double> result;
  for (auto row = sums.begin(); row != sums.end(); row += size) result.push_back(std::accumulate(row, row + size, 0.0));
  return result;
}

/// Squared MMD of each pair of subsets, of [subsets, size] rows of either set: k is computed of all rows once.
std::vector<double> mmd_of_subsets(const Tensor& x_rows, const Tensor& x_indices, const Tensor& y_rows,
                                   const Tensor& y_indices, const Kernel& kernel) {
  const Side x(x_rows, kernel), y(y_rows, kernel);
  const Taken of_x(x_indices, x.count()), of_y(y_indices, y.count());
  const auto m = static_cast<double>(of_x.size());
  const auto n = static_cast<double>(of_y.size());
  const std::vector<double> of_xx = sums_over(Pairs::kBelow, x, of_x, x, of_x, kernel);
  const std::vector<double> of_yy = sums_over(Pairs::kBelow, y, of_y, y, of_y, kernel);
  std::vector<double> result = sums_over(Pairs::kAll, x, of_x, y, of_y, kernel);
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = 2 * of_xx[i] / (m * (m - 1)) + 2 * of_yy[i] / (n * (n - 1)) - 2 * result[i] / (m * n);
  }
  return result;
}

/// All rows, as the only subset.
Tensor all_of(const Tensor& rows) { return at::arange(rows.size(0), at::kLong).unsqueeze(0); }

double mmd_of(const Tensor& x, const Tensor& y, const Kernel& kernel) {
  return mmd_of_subsets(x, all_of(x), y, all_of(y), kernel)[0];
}

/// Whether subsets of two sets overlap so much that they have more pairs than the sets.
bool overlap(int64_t subsets, int64_t size, int64_t x, int64_t y) {
  const auto pairs = [](auto a, auto b) { return (a * a + b * b) / 2 + a * b; };
  return static_cast<double>(subsets) * pairs(double(size), double(size)) > pairs(double(x), double(y));
}

struct Pair {
  Tensor a, b;
};

Pair checked(const std::string& caller, const Tensor& a, const Tensor& b, const Kernel& kernel) {
  const Pair pair{checked_rows_as_given(caller + ": first features", a),
                  checked_rows_as_given(caller + ": second features", b)};
  check_same_width(caller.c_str(), pair.a, pair.b);
  if (kernel.degree < 1 || kernel.gamma < 0 || !(kernel.sigma > 0)) {
    throw UsageError(c10::str(caller, ": a kernel needs degree >= 1, gamma >= 0 and sigma > 0, got ", kernel.degree,
                              ", ", kernel.gamma, " and ", kernel.sigma));
  }
  // A polynomial of float32 features loses nothing that a sum over a thousand samples would show; an exponential of a
  // small difference of large squares does.
  const bool narrow =
      kernel.kind == Kernel::Kind::kPolynomial && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat;
  return narrow ? pair : Pair{pair.a.to(at::kDouble), pair.b.to(at::kDouble)};
}

}  // namespace

double squared_mmd(const Tensor& a, const Tensor& b, const Kernel& kernel) {
  const auto [x, y] = checked("squared_mmd", a, b, kernel);
  if (x.size(0) < 2 || y.size(0) < 2) {
    throw UsageError(
        c10::str("squared_mmd: expected at least 2 samples in each set, got ", x.size(0), " and ", y.size(0)));
  }
  return mmd_of(x, y, kernel);
}

KernelDistance kernel_distance(const Tensor& a, const Tensor& b, const Tensor& indices, const Kernel& kernel) {
  const auto [x, y] = checked("kernel_distance", a, b, kernel);
  if (indices.dim() != 3 || indices.size(0) < 1 || indices.size(1) != 2 || indices.size(2) < 2) {
    throw ShapeError(c10::str("kernel_distance: expected indices [subsets, 2, size >= 2], got ", indices.sizes()));
  }
  const Tensor of_x = checked_indices("kernel_distance: first indices", indices.select(1, 0), x.size(0));
  const Tensor of_y = checked_indices("kernel_distance: second indices", indices.select(1, 1), y.size(0));
  KernelDistance result;
  std::vector<double> values;
  if (overlap(indices.size(0), indices.size(2), x.size(0), y.size(0))) {
    values = mmd_of_subsets(x, of_x, y, of_y, kernel);
  } else {
    for (int64_t i = 0; i < indices.size(0); ++i) {
      values.push_back(mmd_of(x.index_select(0, of_x[i]), y.index_select(0, of_y[i]), kernel));
    }
  }
  result.subsets = at::tensor(values, at::kDouble);
  result.mean = result.subsets.mean().item<double>();
  result.standard_deviation = result.subsets.std(/*unbiased=*/false).item<double>();
  return result;
}

KernelDistance kernel_distance(const Tensor& a, const Tensor& b, int64_t subsets, int64_t subset_size,
                               const Kernel& kernel, uint32_t seed) {
  const auto [x, y] = checked("kernel_distance", a, b, kernel);
  if (subsets < 1 || subset_size < 2 || subset_size > x.size(0) || subset_size > y.size(0)) {
    throw UsageError(c10::str("kernel_distance: cannot draw ", subsets, " subsets of ", subset_size, " samples from ",
                              x.size(0), " and ", y.size(0), "; lower the subset size"));
  }
  NumpyRandom random(seed);
  std::vector<Tensor> chosen;
  for (int64_t i = 0; i < subsets; ++i) {
    chosen.push_back(random.permutation(x.size(0)).slice(0, 0, subset_size));
    chosen.push_back(random.permutation(y.size(0)).slice(0, 0, subset_size));
  }
  return kernel_distance(x, y, at::stack(chosen).view({subsets, 2, subset_size}), kernel);
}

}  // namespace sextant::metrics
