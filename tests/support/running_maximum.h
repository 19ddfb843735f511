// What a guide's schedule remembers of the steps before.
#pragma once

#include "sextant/guidance/guide.h"

namespace sextant::testing {

/// The largest variance that `guide` has seen on its trajectory, [N] or [1], to a unit in the last place: what the
/// schedule adds to a variance of zero, divided by its height, which must not be 0, where the sine is 1. Changes
/// nothing. `x` are the images.
inline Tensor running_maximum(guidance::Guide& guide, const Tensor& x) {
  guidance::GuideInput in;
  in.x = x;
  in.variance = at::zeros_like(x);
  in.step = 1;
  in.num_steps = 2;
  return guide.gamma(in).flatten(1).select(1, 0) / guide.config().gamma_factor;
}

}  // namespace sextant::testing
