#include "factor.h"

#include <limits>

#include "internal/kernels/product.h"

namespace sextant::metrics {
namespace {

constexpr int64_t kRank = 64;  ///< rank by which the remainder is updated at once

/// Cholesky factorisation with the largest remaining diagonal element as pivot, without moving rows: L's rows keep the
/// order of the covariance's, its columns come in order of the pivots. Stops where the remainder is rounding. Undefined
/// if the remainder has a negative diagonal element beyond rounding: the matrix is not positive semi-definite.
Tensor pivoted_cholesky(const Tensor& covariance) {
  const int64_t n = covariance.size(0);
  Tensor remainder = covariance.clone().contiguous();  // its lower triangle is kept up to date
  Tensor factor = at::zeros({n, n}, at::kDouble);      // row k is column k of L
  const Tensor variances = covariance.diagonal().contiguous();
  std::vector<double> diagonal(variances.data_ptr<double>(), variances.data_ptr<double>() + n);
  const double largest = *std::max_element(diagonal.begin(), diagonal.end());
  const double rounding = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * largest;
  const double* const from = remainder.data_ptr<double>();
  double* const to = factor.data_ptr<double>();

  int64_t rank = 0;
  for (int64_t block = 0; rank < n; block = rank) {
    for (; rank < std::min(n, block + kRank); ++rank) {
      const auto pivot = std::max_element(diagonal.begin(), diagonal.end());
      if (*pivot <= rounding) break;
      const int64_t p = pivot - diagonal.begin();
      double* const column = to + rank * n;
      for (int64_t i = 0; i < n; ++i) column[i] = i < p ? from[p * n + i] : from[i * n + p];
      for (int64_t k = block; k < rank; ++k) {
        const double* const earlier = to + k * n;
        const double at_pivot = earlier[p];
        for (int64_t i = 0; i < n; ++i) column[i] -= at_pivot * earlier[i];
      }
      const double root = std::sqrt(*pivot);
      for (int64_t i = 0; i < n; ++i) {
        column[i] /= root;
        diagonal[i] -= column[i] * column[i];
      }
      column[p] = root;
      diagonal[p] = 0;  // done: never a pivot again
    }
    if (*std::min_element(diagonal.begin(), diagonal.end()) < -rounding) return {};
    if (rank < block + kRank) break;
    const Tensor columns = factor.slice(0, block, rank);
    kernels::add_product(remainder, columns.t().neg(), kernels::PackedMatrix(columns), kernels::Part::kLower);
  }
  return factor.slice(0, 0, rank);
}

/// V max(Lambda, 0)^(1/2) of the eigen-decomposition, eigenvalues of rounding's size left out.
Tensor eigen_factor(const Tensor& covariance) {
  const auto [values, vectors] = at::linalg_eigh(covariance);
  const double rounding =
      static_cast<double>(values.numel()) * std::numeric_limits<double>::epsilon() * values.abs().max().item<double>();
  const Tensor kept = (values > rounding).nonzero().squeeze(1);
  return (vectors.index_select(1, kept) * values.index_select(0, kept).sqrt()).t().contiguous();
}

}  // namespace

Tensor transposed_factor(const Tensor& covariance) {
  if (covariance.diagonal().max().item<double>() <= 0) return at::zeros({0, covariance.size(0)}, at::kDouble);
  const Tensor factor = pivoted_cholesky(covariance);
  return factor.defined() ? factor : eigen_factor(covariance);
}

}  // namespace sextant::metrics
