#include "start.h"

#include "sextant/runtime/error.h"

namespace sextant::samplers {

Tensor initial_noise(const char* sampler, const Run& run) {
  Tensor x = run.noise.initial();
  std::vector<int64_t> wanted = {run.labels.defined() ? run.labels.size(0) : x.size(0)};  // a model may need no labels
  if (wanted[0] == 0) throw UsageError(c10::str(sampler, ": expected at least one sample to draw, got none."));
  wanted.insert(wanted.end(), run.denoiser.sample_shape().begin(), run.denoiser.sample_shape().end());
  if (x.sizes() == at::IntArrayRef(wanted)) return x;
  throw UsageError(c10::str(sampler, ": expected noise ", at::IntArrayRef(wanted),
                            ", one sample of the model's shape per label, got ", x.sizes()));
}

}  // namespace sextant::samplers
