#include "loss_scale.h"

#include "sextant/runtime/error.h"

namespace sextant::training {

LossScale LossScale::of(at::ScalarType compute) {
  LossScale scale;
  scale.dynamic = compute == at::kHalf;
  if (scale.dynamic) scale.scale = 65536;
  return scale;
}

bool LossScale::update(bool finite) {
  if (!finite) {
    if (!dynamic) throw NumericError("the gradient is not finite");
    if (scale <= floor) throw NumericError("float16 gradients overflow even at the smallest loss scale");
    scale = std::max(floor, scale / 2);
    good_steps = 0;
    return false;
  }
  if (dynamic && ++good_steps == patience) {
    scale *= 2;
    good_steps = 0;
  }
  return true;
}

}  // namespace sextant::training
