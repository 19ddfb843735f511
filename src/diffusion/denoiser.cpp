#include "sextant/diffusion/process.h"
#include "sextant/guidance/classifier_free.h"

namespace sextant::diffusion {
namespace {

/// bad + scale (good - bad) on the first channels; the rest of `good` as it is.
Tensor extrapolate(const Tensor& good, const Tensor& bad, double scale, int64_t channels) {
  const Tensor mixed = guidance::classifier_free(good.narrow(1, 0, channels), bad.narrow(1, 0, channels), scale);
  const int64_t rest = good.size(1) - channels;
  return rest == 0 ? mixed : at::cat({mixed, good.narrow(1, channels, rest)}, 1);
}

}  // namespace

ModelDenoiser::ModelDenoiser(Model model, Process process, std::vector<int64_t> sample_shape)
    : model_(std::move(model)), process_(std::move(process)), shape_(std::move(sample_shape)) {}

Prediction ModelDenoiser::predict(const Tensor& x, int64_t step, const Tensor& y) const {
  return process_.p_mean_variance(model_(x, process_.model_time(step, x), y), x, step);
}

Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels) {
  if (scale == 1) return model;
  return [=, model = std::move(model)](const Tensor& x, const Tensor& t, const Tensor& y) {
    const Tensor both = model(at::cat({x, x}), at::cat({t, t}), at::cat({y, at::full_like(y, null_class)}));
    const std::vector<Tensor> halves = both.chunk(2);
    return extrapolate(halves[0], halves[1], scale, guided_channels);
  };
}

Model autoguidance(Model good, Model bad, double scale, int64_t guided_channels) {
  if (scale == 1) return good;
  return [=, good = std::move(good), bad = std::move(bad)](const Tensor& x, const Tensor& t, const Tensor& y) {
    return extrapolate(good(x, t, y), bad(x, t, y), scale, guided_channels);
  };
}

Model in_interval(Model inside, Model outside, double low, double high) {
  return
      [=, inside = std::move(inside), outside = std::move(outside)](const Tensor& x, const Tensor& t, const Tensor& y) {
        const Tensor within = (t >= low).logical_and(t <= high);
        if (within.all().item<bool>()) return inside(x, t, y);
        if (!within.any().item<bool>()) return outside(x, t, y);
        return at::where(within.view({-1, 1, 1, 1}), inside(x, t, y), outside(x, t, y));
      };
}

}  // namespace sextant::diffusion
