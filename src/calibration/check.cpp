#include "check.h"

#include "sextant/runtime/error.h"

namespace sextant::calibration {

void check_logits(const char* caller, const Tensor& f) {
  if (f.dim() != 2 || f.size(0) < 1 || f.size(1) < 2 ||
      (f.scalar_type() != at::kFloat && f.scalar_type() != at::kDouble)) {
    throw ShapeError(c10::str(caller, ": expected logits [N, K], N >= 1, K >= 2, in float32 or float64, got ",
                              f.sizes(), " ", f.dtype()));
  }
  if (!at::isfinite(f).all().item<bool>()) {
    throw NumericError(c10::str(caller, ": logits hold NaN or infinity; the classifier or its input is broken"));
  }
}

void check_logits_and_labels(const char* caller, const Tensor& f, const Tensor& y) {
  check_logits(caller, f);
  if (y.dim() != 1 || y.size(0) != f.size(0) || y.scalar_type() != at::kLong) {
    throw ShapeError(c10::str(caller, ": expected labels [", f.size(0), "] int64, got ", y.sizes(), " ", y.dtype()));
  }
  const auto smallest = y.min().item<int64_t>();
  const auto largest = y.max().item<int64_t>();
  if (smallest < 0 || largest >= f.size(1)) {
    throw ShapeError(c10::str(caller, ": expected labels in [0, ", f.size(1), "), got ", smallest, " to ", largest,
                              "; was the classifier trained on other classes?"));
  }
}

}  // namespace sextant::calibration
