#include <limits>

#include "check.h"
#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"

namespace sextant::calibration {
namespace {

struct Graded {
  Tensor confidence, correct;  ///< [N] float64 on the CPU
};

Graded checked(const char* caller, const Tensor& confidence, const Tensor& correct, int64_t bins) {
  if (confidence.dim() != 1 || correct.dim() != 1 || confidence.size(0) != correct.size(0) || confidence.size(0) < 1) {
    throw ShapeError(c10::str(caller, ": expected confidences and correctness [N], N >= 1, got ", confidence.sizes(),
                              " and ", correct.sizes()));
  }
  MeasureOptions::kBins.check(caller, "bins", static_cast<double>(bins));
  const Tensor c = confidence.detach().to(at::kCPU, at::kDouble);
  if (!((c >= 0) & (c <= 1 + 1e-6)).all().item<bool>()) {
    throw NumericError(c10::str(caller, ": confidences must lie in [0, 1]"));
  }
  return {c, correct.detach().to(at::kCPU, at::kDouble)};
}

/// The diagram of samples that lie in bin `index` [M], out of `total` samples.
Bins summed(const Tensor& edges, const Tensor& index, const Graded& samples, int64_t total) {
  const int64_t bins = edges.numel() - 1;
  Bins result;
  result.edges = edges;
  result.count = at::bincount(index, {}, bins);
  const Tensor divisor = result.count.clamp_min(1).to(at::kDouble);
  result.accuracy = at::bincount(index, samples.correct, bins) / divisor;
  result.confidence = at::bincount(index, samples.confidence, bins) / divisor;
  const Tensor gap = (result.accuracy - result.confidence).abs();
  result.ece = (result.count.to(at::kDouble) / static_cast<double>(total) * gap).sum().item<double>();
  result.mce = gap.max().item<double>();
  return result;
}

}  // namespace

Bins equal_width_bins(const Tensor& confidence, const Tensor& correct, int64_t bins) {
  const Graded all = checked("equal_width_bins", confidence, correct, bins);
  // Each edge by one division: multiples of a rounded 1/B can miss it by an ulp, and confidences do lie on edges.
  const Tensor edges = at::arange(bins + 1, at::kDouble) / static_cast<double>(bins);
  const Tensor counted = (all.confidence > 0).nonzero().squeeze(1);
  const Graded samples{all.confidence.index_select(0, counted), all.correct.index_select(0, counted)};
  const Tensor index = at::bucketize(samples.confidence, edges.slice(0, 1, bins).contiguous());  // right-closed
  return summed(edges, index, samples, all.confidence.size(0));
}

Bins equal_mass_bins(const Tensor& confidence, const Tensor& correct, int64_t bins) {
  const Graded all = checked("equal_mass_bins", confidence, correct, bins);
  const int64_t n = all.confidence.size(0);
  if (bins > n)
    throw UsageError(c10::str("equal_mass_bins: expected at most ", n, " bins for ", n, " samples, got ", bins));
  const c10::optional<bool> stable = true;
  const auto [sorted, order] = all.confidence.sort(stable, 0);
  const Tensor first = at::arange(bins + 1, at::kLong).mul(n).div(bins, "floor");
  const Tensor index =
      at::bucketize(at::arange(n, at::kLong), first.slice(0, 1, bins).contiguous(), false, /*right=*/true);
  const Tensor edges = sorted.index_select(0, first.clamp_max(n - 1));
  return summed(edges, index, {sorted, all.correct.index_select(0, order)}, n);
}

double expected_calibration_error(const Tensor& f, const Tensor& y, int64_t bins) {
  const Predictions p = predict(f, y);
  return equal_width_bins(p.confidence, p.correct, bins).ece;
}

double classwise_calibration_error(const Tensor& f, const Tensor& y, int64_t bins) {
  check_logits_and_labels("classwise_calibration_error", f, y);
  // A bin holds no 0, and a p_k that underflows where k is true is the worst error that there is: it is not to be lost.
  const Tensor p = at::softmax(f.to(at::kDouble), 1).clamp_min(std::numeric_limits<double>::min());
  double sum = 0;
  for (int64_t k = 0; k < f.size(1); ++k) sum += equal_width_bins(p.select(1, k), y == k, bins).ece;
  return sum / static_cast<double>(f.size(1));
}

}  // namespace sextant::calibration
