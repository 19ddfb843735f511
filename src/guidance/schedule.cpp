#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>

#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

void check_step(int64_t step, int64_t num_steps) {
  if (num_steps < 1 || step < 0 || step >= num_steps) {
    throw UsageError(c10::str("schedule: step ", step, " is not one of ", num_steps, " steps."));
  }
}

/// sin(pi t/T), 0 at the last step. Ma et al. 2023, section 4.4
double sine(int64_t step, int64_t num_steps) {
  check_step(step, num_steps);
  return std::sin(std::numbers::pi * static_cast<double>(step) / static_cast<double>(num_steps));
}

/// The largest variance of each sample [N], or [1] where all samples have the same.
Tensor largest_per_sample(const Tensor& variance, const Tensor& x) {
  if (variance.dim() < x.dim() || variance.size(0) != x.size(0)) return variance.max().unsqueeze(0);
  return variance.flatten(1).amax(1);
}

}  // namespace

double entropy_weight(const Step& step, double max, double min, LambdaShape shape) {
  check_step(step.index, step.num_steps);
  if (shape == LambdaShape::kNoise) return min + (max - min) * (1 - step.alpha_cumprod);
  if (step.num_steps == 1) return max;
  const auto t = static_cast<double>(step.index), last = static_cast<double>(step.num_steps - 1);
  if (shape == LambdaShape::kLinear) return min + (max - min) * t / last;
  return min + (max - min) * (1 - std::cos(std::numbers::pi * t / last)) / 2;
}

bool Guide::active(int64_t step, int64_t num_steps) const {
  check_step(step, num_steps);
  const double noise = num_steps > 1 ? static_cast<double>(step) / static_cast<double>(num_steps - 1) : 1.0;
  return config_.interval.contains(noise);
}

Tensor Guide::gamma(const GuideInput& in) {
  const at::NoGradGuard no_grad;
  const Tensor now = config_.gamma_max == GammaMax::kElucd ? in.variance.flatten().narrow(0, 0, 1)
                                                           : largest_per_sample(in.variance, in.x);
  if (max_variance_.defined() && max_variance_.size(0) != now.size(0)) {
    throw ShapeError(c10::str("guide: the batch changed from ", max_variance_.size(0), " to ", now.size(0),
                              " samples within a trajectory; call begin() before each."));
  }
  max_variance_ = max_variance_.defined() ? at::maximum(max_variance_, now) : now.clone();
  const Tensor add = config_.gamma_factor * sine(in.step, in.num_steps) * max_variance_;
  std::vector<int64_t> per_sample(in.x.dim(), 1);
  per_sample[0] = add.size(0);
  return in.variance + add.view(per_sample);
}

double Guide::score_factor(int64_t step, int64_t num_steps) const {
  return 1 + config_.gamma_factor * sine(step, num_steps);
}

}  // namespace sextant::guidance
