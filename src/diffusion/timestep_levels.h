// The signal that is left at the timesteps which networks receive, and what each image's time is.
#pragma once

#include <functional>
#include <vector>

#include "sextant/diffusion/process.h"

namespace sextant::diffusion {

/// f(first, count, value) of each run of consecutive images that share one of `values`, one after the other.
Tensor each_run(const std::vector<double>& values,
                const std::function<Tensor(int64_t first, int64_t count, double value)>& f);

/// t [n] as numbers; ShapeError for another shape.
std::vector<double> times_of(const Tensor& t, int64_t n);

class TimestepLevels {
 public:
  explicit TimestepLevels(const Process& process);

  /// each_run() of abar at t [n]. UsageError for a time that is none of the process's.
  Tensor each(const Tensor& t, int64_t n,
              const std::function<Tensor(int64_t first, int64_t count, double abar)>& f) const;

 private:
  double abar_at(double time) const;

  std::vector<double> times_;  ///< ascending
  std::vector<double> abar_;   ///< at each
};

}  // namespace sextant::diffusion
