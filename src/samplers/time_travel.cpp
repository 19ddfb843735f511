#include "time_travel.h"

#include <cmath>

namespace sextant::samplers {

TimeTravel::TimeTravel(const char* sampler, const Run& run, int64_t recurrence)
    : process_(run.denoiser.process()), noise_(run.noise), passes_(recurrence) {
  SamplerConfig::kRecurrence.check(sampler, "recurrence", static_cast<double>(recurrence));
}

Tensor TimeTravel::start(const Tensor& x, int64_t t, int64_t pass) const {
  if (pass == 0) return x;
  const double ratio = process_.abar(t) / process_.abar_prev(t);
  return at::add(std::sqrt(ratio) * x, noise_.at_step(t + (2 * pass - 1) * process_.num_steps()), std::sqrt(1 - ratio));
}

}  // namespace sextant::samplers
