// Timesteps that a noisy training draws.
#pragma once

#include <cstdint>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::training {

enum class Timesteps { kUniform, kStratified, kLossSecondMoment };

/// Draws timesteps and the weights that keep the loss unbiased.
class TimestepSampler {
 public:
  TimestepSampler(Timesteps kind, int64_t steps, uint64_t seed);

  struct Drawn {
    Tensor t;        ///< [B] int64
    Tensor weights;  ///< [B] float32, ones unless importance-sampled
  };
  Drawn draw(const std::vector<int64_t>& number) const;
  /// Losses [B] at t [B]; kLossSecondMoment samples by the root of their mean square over the last 10 at each t, mixed
  /// with 0.1 % of the uniform distribution, once every t has ten (Nichol & Dhariwal 2021).
  void note(const Tensor& t, const Tensor& losses);

  Tensor history;  ///< [T, 10] float32, the newest last
  Tensor counts;   ///< [T] int64, at most 10

 private:
  Timesteps kind_;
  int64_t steps_;
  uint64_t seed_;
};

}  // namespace sextant::training
