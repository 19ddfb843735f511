// The signal that is left at the timesteps which networks receive.
#pragma once

#include <functional>
#include <vector>

#include "sextant/diffusion/process.h"

namespace sextant::diffusion {

class TimestepLevels {
 public:
  explicit TimestepLevels(const Process& process);

  /// f(first, count, abar) of each run of consecutive images that share a timestep of t [n], one after the other.
  /// ShapeError for another shape, UsageError for a time that is none of the process's.
  Tensor each(const Tensor& t, int64_t n,
              const std::function<Tensor(int64_t first, int64_t count, double abar)>& f) const;

 private:
  std::vector<double> abar_at(const Tensor& t) const;

  std::vector<double> times_;  ///< ascending
  std::vector<double> abar_;   ///< at each
};

}  // namespace sextant::diffusion
