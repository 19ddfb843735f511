// Universal guidance's "time travel" (Bansal et al. 2023): each step made several times, renoised in between.
#pragma once

#include "sextant/samplers/samplers.h"

namespace sextant::samplers {

/// The draws of a step that a run makes `recurrence` times: pass 0 has those of a plain run, and each pass its own, so
/// that neither the batch nor the number of passes changes what an earlier pass saw.
class TimeTravel {
 public:
  /// UsageError for a recurrence out of its range.
  TimeTravel(const char* sampler, const Run& run, int64_t recurrence);
  int64_t passes() const { return passes_; }

  /// The noise that pass `pass` of step t adds.
  Tensor noise(int64_t t, int64_t pass) const { return noise_.at_step(t + 2 * pass * process_.num_steps()); }
  /// What pass `pass` of step t starts from. Pass 0: x itself. The others carry their predecessor's x_{t-1} back to
  /// x_t = sqrt(abar_t/abar_{t-1}) x_{t-1} + sqrt(1 - abar_t/abar_{t-1}) noise.
  Tensor start(const Tensor& x, int64_t t, int64_t pass) const;

 private:
  const diffusion::Process& process_;
  Noise& noise_;
  int64_t passes_;
};

}  // namespace sextant::samplers
