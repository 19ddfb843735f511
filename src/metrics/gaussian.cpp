#include "check.h"
#include "internal/kernels/product.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

constexpr int64_t kRowsAtOnce = 4096;  ///< rows widened to float64 at a time

}  // namespace

GaussianAccumulator::GaussianAccumulator(int64_t dimensions) {
  if (dimensions < 1) throw ShapeError(c10::str("GaussianAccumulator: needs at least one dimension, got ", dimensions));
  mean_ = at::zeros({dimensions}, at::kDouble);
  scatter_ = at::zeros({dimensions, dimensions}, at::kDouble);
}

void GaussianAccumulator::add(const Tensor& features) {
  if (features.defined() && features.dim() == 2 && features.size(1) != dimensions()) {
    throw ShapeError(
        c10::str("GaussianAccumulator: expected features [N, ", dimensions(), "], got ", features.sizes()));
  }
  if (features.defined() && features.dim() == 2 && features.size(0) == 0) return;
  for (int64_t row = 0; row == 0 || row < features.size(0); row += kRowsAtOnce) {
    const bool rows = features.defined() && features.dim() == 2;
    add_block(
        checked_rows("GaussianAccumulator: features", rows ? features.slice(0, row, row + kRowsAtOnce) : features));
  }
}

void GaussianAccumulator::add_block(const Tensor& block) {
  const Tensor mean = block.mean(0);
  const Tensor centred = block - mean;
  kernels::add_product(scatter_, centred.t(), kernels::PackedMatrix(centred), kernels::Part::kLower);
  merge_mean(mean, block.size(0));
}

void GaussianAccumulator::merge(const GaussianAccumulator& other) {
  if (other.dimensions() != dimensions()) {
    throw ShapeError(
        c10::str("GaussianAccumulator: cannot merge ", other.dimensions(), " dimensions into ", dimensions()));
  }
  if (other.count_ == 0) return;
  scatter_ += other.scatter_;
  merge_mean(other.mean_, other.count_);
}

void GaussianAccumulator::merge_all(const std::function<void(const Tensor&)>& sum) {
  // The mean of all first: sums of squares about it are sums of those about each one's own, and of n delta delta^T.
  const Tensor weighted = at::cat({mean_ * static_cast<double>(count_), at::full({1}, count_, at::kDouble)});
  sum(weighted);
  const double total = weighted[dimensions()].item<double>();
  if (total == 0) return;
  const Tensor mean = weighted.narrow(0, 0, dimensions()) / total;
  const Tensor delta = mean_ - mean;
  scatter_.add_(at::outer(delta, delta), static_cast<double>(count_));
  sum(scatter_);
  mean_ = mean;
  count_ = static_cast<int64_t>(total);
}

void GaussianAccumulator::merge_mean(const Tensor& mean, int64_t count) {
  // The means of the two parts differ by delta: scatter gains n m / (n + m) delta delta^T.
  const double total = static_cast<double>(count_ + count);
  const Tensor delta = mean - mean_;
  if (count_ > 0)
    scatter_.add_(at::outer(delta, delta), static_cast<double>(count_) * static_cast<double>(count) / total);
  mean_ += delta * (static_cast<double>(count) / total);
  count_ += count;
}

Gaussian GaussianAccumulator::gaussian() const {
  if (count_ < 2) {
    throw NumericError(c10::str("a covariance needs at least two samples, got ", count_));
  }
  Gaussian result{mean_.clone(), scatter_ / static_cast<double>(count_ - 1), count_};
  kernels::mirror_lower(result.covariance);
  return result;
}

Gaussian gaussian_of(const Tensor& features) {
  if (!features.defined() || features.dim() != 2) checked_rows("gaussian_of: features", features);
  GaussianAccumulator accumulator(features.size(1));
  accumulator.add(features);
  return accumulator.gaussian();
}

}  // namespace sextant::metrics
