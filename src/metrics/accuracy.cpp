#include "check.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {

ClassAccuracy class_accuracy(const Tensor& logits, const Tensor& labels) {
  const Tensor f = checked_rows("class_accuracy: logits", logits);
  if (labels.dim() != 1 || labels.size(0) != f.size(0) || labels.scalar_type() != at::kLong) {
    throw ShapeError(
        c10::str("class_accuracy: expected labels [", f.size(0), "] int64, got ", labels.sizes(), " ", labels.dtype()));
  }
  const Tensor y = labels.to(at::kCPU);
  const int64_t classes = f.size(1);
  if (y.min().item<int64_t>() < 0 || y.max().item<int64_t>() >= classes) {
    throw ShapeError(c10::str("class_accuracy: expected labels in [0, ", classes, "), got ", y.min().item<int64_t>(),
                              " to ", y.max().item<int64_t>(), "; was the classifier trained on other classes?"));
  }
  const Tensor correct = (f.argmax(1) == y).to(at::kDouble);
  const Tensor count = at::bincount(y, {}, classes);
  const Tensor hits = at::bincount(y, correct, classes);
  return {correct.mean().item<double>(), count, hits / count.clamp_min(1).to(at::kDouble)};
}

}  // namespace sextant::metrics
