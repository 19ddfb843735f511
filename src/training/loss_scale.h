// The scale of a half-precision loss.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace sextant::training {

/// The factor that keeps float16 gradients from vanishing: halved when they overflow, never below `floor`; doubled
/// after `patience` steps without.
struct LossScale {
  double scale = 1;
  double floor = 1;
  int64_t patience = 2000;
  int64_t good_steps = 0;
  bool dynamic = false;  ///< off, the scale stays as it is

  static LossScale of(at::ScalarType compute);
  /// Takes note of a step. False where its gradients overflowed and the step must be left out. NumericError once they
  /// do so at the floor.
  bool update(bool finite);
};

}  // namespace sextant::training
