// The fused group norm on a CPU: measure, solve for a factor and an offset per channel, apply; and its gradient.
#pragma once

#include <utility>

#include "images.h"
#include "internal/kernels/norm.h"

namespace sextant::kernels {

/// What the forward pass finds out about every image and channel: float32 [B, kStatistics, C].
enum Statistic : int64_t {
  kFactor,  ///< y = f(x * factor + offset)
  kOffset,
  kCentre,   ///< the group's mean, less what is added to the channel
  kInverse,  ///< 1 / sqrt(var + eps) of the group
  kStatistics
};

/// Group norm of x, float32 or bfloat16, in channels last; and its statistics.
std::pair<Tensor, Tensor> norm_forward(const Images& x, const GroupNorm& norm);

struct NormGradient {
  std::vector<Tensor> dx;  ///< of sum(y dy), one per part of x
  Tensor sums;  ///< [B, 2, C] float64: sums over the pixels of dz and of dz (x - centre), z = x * factor + offset
};
NormGradient norm_backward(const Images& x, const GroupNorm& norm, const Tensor& statistics, const Tensor& dy);

/// f(x * factor + offset), resampled, by given statistics.
Tensor norm_apply(const Images& x, const GroupNorm& norm, const Tensor& statistics);

}  // namespace sextant::kernels
