#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "internal/kernels/product.h"
#include "numpy_random.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

constexpr int64_t kKernelRows = 128;  ///< of the kernel matrix in memory at a time; half of them lie above a diagonal

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
  kBelow,  ///< (i, j) with j < i
};

/// Sum of k(x_i, y_j) over pairs, in float64: each row from left to right, then the rows.
double sum_over(Pairs pairs, const Side& x, const Side& y, const Kernel& kernel) {
  const double gamma = kernel.gamma > 0 ? kernel.gamma : 1.0 / static_cast<double>(x.rows.size(1));
  std::vector<double> sums(static_cast<size_t>(x.count()));
  for (int64_t first = 0; first < x.count(); first += kKernelRows) {
    const int64_t last = std::min(x.count(), first + kKernelRows);
    const int64_t columns = pairs == Pairs::kAll ? y.count() : last;
    const Tensor dots = kernels::product(x.rows.slice(0, first, last), y.packed, columns);
    AT_DISPATCH_FLOATING_TYPES(dots.scalar_type(), "kernel_distance", [&] {
      at::parallel_for(first, last, 16, [&](int64_t begin, int64_t end) {
        std::vector<double> values;
        for (int64_t i = begin; i < end; ++i) {
          const scalar_t* const row = dots.data_ptr<scalar_t>() + (i - first) * columns;
          values.assign(row, row + (pairs == Pairs::kAll ? columns : i));
          kernel_of_dots(values, x, i, y, gamma, kernel);
          sums[i] = std::accumulate(values.begin(), values.end(), 0.0);
        }
      });
    });
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double mmd_of(const Tensor& x_rows, const Tensor& y_rows, const Kernel& kernel) {
  const Side x(x_rows, kernel), y(y_rows, kernel);
  const auto m = static_cast<double>(x.count());
  const auto n = static_cast<double>(y.count());
  return 2 * sum_over(Pairs::kBelow, x, x, kernel) / (m * (m - 1)) +
         2 * sum_over(Pairs::kBelow, y, y, kernel) / (n * (n - 1)) - 2 * sum_over(Pairs::kAll, x, y, kernel) / (m * n);
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
  result.subsets = at::empty({indices.size(0)}, at::kDouble);
  for (int64_t i = 0; i < indices.size(0); ++i) {
    result.subsets[i] = mmd_of(x.index_select(0, of_x[i]), y.index_select(0, of_y[i]), kernel);
  }
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
