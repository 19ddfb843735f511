#include "check.h"

#include <limits>

#include "internal/runtime/labels.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {

void check_logits(const char* caller, const Tensor& f) {
  if (f.dim() != 2) {
    throw ShapeError(c10::str(caller, ": expected logits [N, K], got ", f.sizes(),
                              ". For a single image, add the batch axis with unsqueeze(0)."));
  }
  if (f.scalar_type() != at::kFloat && f.scalar_type() != at::kDouble) {
    throw ShapeError(c10::str(caller, ": expected logits in float32 or float64, got ", f.scalar_type(),
                              ". Convert them to float32."));
  }
  if (f.size(1) < 2) {
    throw ShapeError(c10::str(caller, ": expected at least 2 classes, got logits ", f.sizes(), "."));
  }
}

void check_label_range(const char* caller, const Tensor& y, int64_t classes) {
  if (const auto wrong = wrong_label(y, classes)) {
    throw ShapeError(c10::str(caller, ": label ", wrong->label, " of sample ", wrong->place,
                              " is not a class of the classifier, which has ", classes, " (0 to ", classes - 1,
                              "). Choose labels it knows."));
  }
}

void check_logits_and_labels(const char* caller, const Tensor& f, const Tensor& y) {
  if (f.dim() != 2 || y.dim() != 1 || f.size(0) != y.size(0)) {
    throw ShapeError(c10::str(caller, ": expected logits [N, K] and labels [N], got logits ", f.sizes(), " and labels ",
                              y.sizes(), ". For a single image, add the batch axis with unsqueeze(0)."));
  }
  check_logits(caller, f);
  if (y.scalar_type() != at::kLong) {
    throw ShapeError(c10::str(caller, ": expected labels in int64, got ", y.scalar_type(), ". Convert them to int64."));
  }
  if (y.device() != f.device()) {
    throw ShapeError(
        c10::str(caller, ": logits are on ", f.device(), " but labels on ", y.device(), ". Move them to one device."));
  }
  if (y.is_cpu()) check_label_range(caller, y, f.size(1));
}

void check_temperatures(const char* caller, Temperatures tau) {
  Temperatures::kJoint.check(caller, "joint-temperature", tau.joint);
  Temperatures::kMarginal.check(caller, "marginal-temperature", tau.marginal);
}

void check_divergence(const char* caller, const Divergence& divergence) {
  Divergence::kAlpha.check(caller, "alpha", divergence.alpha);
  Divergence::kEpsilon.check(caller, "epsilon", divergence.epsilon);
}

double smallest_normal(const Tensor& f) {
  return f.scalar_type() == at::kFloat ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
}

}  // namespace sextant::guidance
