#include "check.h"
#include "internal/kernels/product.h"
#include "numpy_random.h"
#include "sextant/metrics/features.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

using kernels::PackedMatrix;

constexpr int64_t kKernelRows = 1024;  ///< of the kernel matrix in memory at a time

/// k(x_i, y_j) from the products x_i . y_j; y may have more rows than they have columns.
Tensor kernel_of_dots(const Tensor& dots, const Tensor& x, const Tensor& y, const Kernel& kernel) {
  if (kernel.kind == Kernel::Kind::kPolynomial) {
    const double gamma = kernel.gamma > 0 ? kernel.gamma : 1.0 / static_cast<double>(x.size(1));
    return (dots * gamma + kernel.offset).pow(kernel.degree);
  }
  const Tensor lengths = y.slice(0, 0, dots.size(1)).square().sum(1);
  const Tensor squared = x.square().sum(1, true) + lengths - 2 * dots;
  return (squared.clamp_min(0) / (-2 * kernel.sigma * kernel.sigma)).exp();
}

/// Sum of k over all pairs of x and y, `packed` being y^T.
double sum_over_pairs(const Tensor& x, const Tensor& y, const PackedMatrix& packed, const Kernel& kernel) {
  double sum = 0;
  for (int64_t row = 0; row < x.size(0); row += kKernelRows) {
    const Tensor some = x.slice(0, row, row + kKernelRows);
    sum += kernel_of_dots(kernels::product(some, packed, y.size(0)), some, y, kernel).sum().item<double>();
  }
  return sum;
}

/// Sum of k over all pairs (i, j) with i != j of one set: twice that with j < i.
double sum_over_other_pairs(const Tensor& x, const PackedMatrix& packed, const Kernel& kernel) {
  double sum = 0;
  for (int64_t row = 0; row < x.size(0); row += kKernelRows) {
    const Tensor some = x.slice(0, row, row + kKernelRows);
    const Tensor dots = kernels::product(some, packed, row + some.size(0));
    sum += 2 * kernel_of_dots(dots, some, x, kernel).tril(row - 1).sum().item<double>();
  }
  return sum;
}

double mmd_of(const Tensor& x, const Tensor& y, const Kernel& kernel) {
  const double m = static_cast<double>(x.size(0));
  const double n = static_cast<double>(y.size(0));
  const PackedMatrix x_packed(x.t()), y_packed(y.t());
  return sum_over_other_pairs(x, x_packed, kernel) / (m * (m - 1)) +
         sum_over_other_pairs(y, y_packed, kernel) / (n * (n - 1)) -
         2 * sum_over_pairs(x, y, y_packed, kernel) / (m * n);
}

struct Pair {
  Tensor a, b;
};

Pair checked(const std::string& caller, const Tensor& a, const Tensor& b, const Kernel& kernel) {
  Pair pair{checked_rows(caller + ": first features", a), checked_rows(caller + ": second features", b)};
  check_same_width(caller.c_str(), pair.a, pair.b);
  if (kernel.degree < 1 || kernel.gamma < 0 || !(kernel.sigma > 0)) {
    throw UsageError(c10::str(caller, ": a kernel needs degree >= 1, gamma >= 0 and sigma > 0, got ", kernel.degree,
                              ", ", kernel.gamma, " and ", kernel.sigma));
  }
  return pair;
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
  KernelDistance result;
  result.subsets = at::empty({indices.size(0)}, at::kDouble);
  for (int64_t i = 0; i < indices.size(0); ++i) {
    result.subsets[i] = mmd_of(x.index_select(0, indices[i][0]), y.index_select(0, indices[i][1]), kernel);
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
