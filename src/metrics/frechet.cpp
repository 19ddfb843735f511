#include <limits>

#include "check.h"
#include "factor.h"
#include "internal/kernels/product.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

/// Mean and symmetric covariance in float64 on the CPU.
Gaussian checked(const char* which, const Gaussian& gaussian) {
  const Tensor& mu = gaussian.mean;
  const Tensor& sigma = gaussian.covariance;
  const std::string name = c10::str("frechet_distance: the ", which, " statistics");
  if (!mu.defined() || !sigma.defined() || mu.dim() != 1 || sigma.dim() != 2 || sigma.size(0) != mu.size(0) ||
      sigma.size(1) != mu.size(0)) {
    throw ShapeError(c10::str(name, ": expected a mean [D] and a covariance [D, D], got ",
                              mu.defined() ? c10::str(mu.sizes()) : "none", " and ",
                              sigma.defined() ? c10::str(sigma.sizes()) : "none"));
  }
  const Tensor mean = checked_rows(name + ", mean", mu.unsqueeze(0)).squeeze(0);
  const Tensor covariance = checked_rows(name + ", covariance", sigma);
  const double asymmetry = (covariance - covariance.t()).abs().max().item<double>();
  // Statistics stored as float32 or summed in another order are symmetric to about 1e-7 of their largest element.
  if (asymmetry > 1e-5 * covariance.abs().max().item<double>()) {
    throw ShapeError(c10::str(name, ": the covariance is not symmetric (elements differ by ", asymmetry,
                              "); is the file another matrix?"));
  }
  if (covariance.diagonal().min().item<double>() < -1e-5 * covariance.abs().max().item<double>()) {
    throw NumericError(name + ": the covariance has a negative variance");
  }
  return {mean, asymmetry > 0 ? (covariance + covariance.t()) / 2 : covariance, gaussian.count};
}

/// How far the sum of sqrt(values) may be off when each value is by `error`.
double error_of_roots(const Tensor& values, double error) {
  return ((values + error).sqrt() - (values - error).clamp_min(0).sqrt()).sum().item<double>() / 2;
}

/// Sum of the singular values of b = left right^T, for factors [r, n]. `scale` is what the result is to be exact
/// against.
double nuclear_norm(const Tensor& left, const Tensor& right, double scale) {
  if (left.size(0) == 0 || right.size(0) == 0) return 0;
  const Tensor b =
      left.size(0) <= right.size(0) ? kernels::product(right, left.t()) : kernels::product(left, right.t());
  // Eigenvalues of b^T b take a quarter of the time of singular values, but their roots lose half the digits of the
  // smallest.
  const Tensor squares = at::linalg_eigvalsh(kernels::gram(b)).clamp_min(0);
  const double error = 8 * std::numeric_limits<double>::epsilon() * squares.max().item<double>();
  if (error_of_roots(squares, error) <= 1e-10 * scale) return squares.sqrt().sum().item<double>();
  return at::linalg_svdvals(b).sum().item<double>();
}

}  // namespace

FrechetDistance frechet_distance(const Gaussian& a, const Gaussian& b) {
  const Gaussian first = checked("first", a);
  const Gaussian second = checked("second", b);
  if (first.mean.numel() != second.mean.numel()) {
    throw ShapeError(c10::str("frechet_distance: the statistics have ", first.mean.numel(), " and ",
                              second.mean.numel(), " dimensions; embed both sets with the same network"));
  }
  FrechetDistance distance;
  distance.mean_term = (first.mean - second.mean).square().sum().item<double>();
  const double traces = first.covariance.trace().item<double>() + second.covariance.trace().item<double>();
  distance.trace_root = nuclear_norm(transposed_factor(first.covariance), transposed_factor(second.covariance), traces);
  distance.value = std::max(0.0, distance.mean_term + traces - 2 * distance.trace_root);
  return distance;
}

}  // namespace sextant::metrics
