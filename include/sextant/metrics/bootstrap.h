// How far a statistic of samples may be off.
#pragma once

#include <cstdint>
#include <functional>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

struct Interval {
  double low = 0;
  double high = 0;
  double standard_deviation = 0;  ///< of the statistic over the resamples
};

/// Percentile bootstrap: `statistic` of `resamples` draws of `count` indices [count] int64 out of [0, count), with
/// replacement.
Interval bootstrap(int64_t count, const std::function<double(const Tensor& indices)>& statistic,
                   int64_t resamples = 1000, double level = 0.95, uint32_t seed = 0);

/// The same for the mean of `values` [N].
Interval bootstrap_mean(const Tensor& values, int64_t resamples = 1000, double level = 0.95, uint32_t seed = 0);

}  // namespace sextant::metrics
