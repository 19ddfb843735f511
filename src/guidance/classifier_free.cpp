#include <cmath>

#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {

Tensor classifier_free(const Tensor& conditional, const Tensor& unconditional, double scale) {
  if (conditional.sizes() != unconditional.sizes()) {
    throw ShapeError(c10::str("classifier_free: expected two predictions of one shape, got ", conditional.sizes(),
                              " and ", unconditional.sizes(), "."));
  }
  if (!std::isfinite(scale)) {
    throw UsageError(c10::str("classifier_free: expected a finite scale, got ", scale, "; 1 turns it off."));
  }
  if (scale == 1) return conditional;
  return unconditional + scale * (conditional - unconditional);
}

}  // namespace sextant::guidance
