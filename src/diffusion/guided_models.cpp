#include <algorithm>
#include <cmath>

#include "sextant/diffusion/denoiser.h"
#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/progress.h"

namespace sextant::diffusion {
namespace {

/// bad + scale (good - bad) on the first channels, as many as both have; the rest of `good` as it is.
Tensor extrapolate(const Tensor& good, const Tensor& bad, double scale, int64_t first) {
  const int64_t channels = std::min({first, good.size(1), bad.size(1)});
  const Tensor mixed = guidance::classifier_free(good.narrow(1, 0, channels), bad.narrow(1, 0, channels), scale);
  const int64_t rest = good.size(1) - channels;
  return rest == 0 ? mixed : at::cat({mixed, good.narrow(1, channels, rest)}, 1);
}

using Time = Model::Time;

/// As a tensor of x's dtype holds it: bounds are compared with what the network is given.
double rounded(double value, const Tensor& x) {
  return x.scalar_type() == at::kDouble ? value : static_cast<double>(static_cast<float>(value));
}

}  // namespace

Model classifier_free(Model model, int64_t null_class, double scale, int64_t guided_channels) {
  if (scale == 1) return model;
  return [=, model = std::move(model)](const Tensor& x, const Tensor& t, const Tensor& y, Time time) {
    if (!y.defined()) throw UsageError("classifier-free guidance is between labels and none: give it labels y [N]");
    const Tensor both = model(at::cat({x, x}), at::cat({t, t}), at::cat({y, at::full_like(y, null_class)}), time);
    if (both.dim() != 4 || both.size(0) != 2 * x.size(0)) {
      throw ShapeError(c10::str("classifier_free: expected the model to predict for ", 2 * x.size(0),
                                " images, with labels and without, got ", both.sizes()));
    }
    const std::vector<Tensor> halves = both.chunk(2);
    return extrapolate(halves[0], halves[1], scale, guided_channels);
  };
}

Model autoguidance(Model good, Model bad, double scale, int64_t guided_channels) {
  if (scale == 1) return good;
  return
      [=, good = std::move(good), bad = std::move(bad)](const Tensor& x, const Tensor& t, const Tensor& y, Time time) {
        return extrapolate(good(x, t, y, time), bad(x, t, y, time), scale, guided_channels);
      };
}

Model in_interval(Model inside, Model outside, Interval interval) {
  return [=, inside = std::move(inside), outside = std::move(outside)](const Tensor& x, const Tensor& t,
                                                                       const Tensor& y, Time time) {
    if (time) {
      const double now = rounded(*time, x);
      const bool guided = rounded(interval.low, x) <= now && now <= rounded(interval.high, x);
      return (guided ? inside : outside)(x, t, y, time);
    }
    const Tensor within = (t >= interval.low).logical_and(t <= interval.high);
    if (within.all().item<bool>()) return inside(x, t, y);
    if (!within.any().item<bool>()) return outside(x, t, y);
    const Tensor a = inside(x, t, y);
    const Tensor b = outside(x, t, y);
    if (a.sizes() != b.sizes()) {
      throw ShapeError(
          c10::str("in_interval: expected two predictions of one shape, got ", a.sizes(), " and ", b.sizes()));
    }
    return at::where(within.view({-1, 1, 1, 1}), a, b);
  };
}

Interval timesteps_between(const ProcessConfig& config, Interval sigmas) {
  ProcessConfig whole = config;
  whole.respacing.clear();
  const Process process(whole);
  int64_t first = -1;
  int64_t last = -1;
  for (int64_t t = 0; t < process.num_steps(); ++t) {
    const double abar = process.abar(t);
    if (!sigmas.contains(std::sqrt((1 - abar) / abar))) continue;
    if (first < 0) first = t;
    last = t;
  }
  if (first < 0) {
    throw UsageError(c10::str("the process has no timestep with a noise level from ", sigmas.low, " to ", sigmas.high));
  }
  // Networks may receive the timesteps as fractions, rounded: half a step of room on either side.
  const double scale = config.rescale_timesteps ? 1000.0 / static_cast<double>(config.steps) : 1.0;
  return {(static_cast<double>(first) - 0.5) * scale, (static_cast<double>(last) + 0.5) * scale};
}

Model labelled(Model model, int64_t label) {
  return [model = std::move(model), label](const Tensor& x, const Tensor& t, const Tensor& y, Time time) {
    const Tensor labels =
        y.defined() ? at::full_like(y, label) : at::full({x.size(0)}, label, x.options().dtype(at::kLong));
    return model(x, t, labels, time);
  };
}

Denoiser timed(const Denoiser& denoiser, std::shared_ptr<Stopwatch> watch) {
  if (!watch) throw UsageError("denoiser: expected a stopwatch, got none");
  return denoiser.with([model = denoiser.model(), watch = std::move(watch)](const Tensor& x, const Tensor& t,
                                                                            const Tensor& y, Time time) {
    const auto start = Stopwatch::now(x.device());
    Tensor output = model(x, t, y, time);
    watch->add(start, Stopwatch::now(x.device()));
    return output;
  });
}

}  // namespace sextant::diffusion
