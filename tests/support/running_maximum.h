// What a guide's schedule remembers of the steps before.
#pragma once

#include "sextant/guidance/guide.h"

namespace sextant::testing {

/// What the schedule of `guide` adds to the variance at a step, [N], by what it has seen on its trajectory: read off a
/// variance of zero, which changes nothing. `x` are the images.
inline Tensor added(guidance::Guide& guide, const Tensor& x, int64_t step, int64_t num_steps) {
  guidance::GuideInput in;
  in.x = x;
  in.variance = at::zeros_like(x);
  in.step = step;
  in.num_steps = num_steps;
  return guide.gamma(in).flatten(1).select(1, 0);
}

/// The largest variance that `guide` has seen on its trajectory, [N], to a unit in the last place: what is added where
/// the sine is 1, divided by the schedule's height, which must not be 0.
inline Tensor running_maximum(guidance::Guide& guide, const Tensor& x) {
  return added(guide, x, 1, 2) / guide.config().gamma_factor;
}

}  // namespace sextant::testing
