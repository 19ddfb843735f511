#include "timestep_levels.h"

#include <algorithm>

#include "sextant/runtime/error.h"

namespace sextant::diffusion {
namespace {

/// How far a float32 timestep may be from the process's own; the finest rescaled ones are further apart.
constexpr double kTimeTolerance = 1e-3;

}  // namespace

TimestepLevels::TimestepLevels(const Process& process) {
  const Tensor like = at::empty({1, 1, 1, 1}, at::kDouble);
  for (int64_t step = 0; step < process.num_steps(); ++step) {
    times_.push_back(process.model_time(step, like).item<double>());
    abar_.push_back(process.abar(step));
  }
}

double TimestepLevels::abar_at(double time) const {
  const auto near = std::lower_bound(times_.begin(), times_.end(), time - kTimeTolerance);
  if (near == times_.end() || *near > time + kTimeTolerance) {
    throw UsageError(c10::str("mixture: t = ", time, " is not a timestep of its process"));
  }
  return abar_[static_cast<std::size_t>(near - times_.begin())];
}

Tensor TimestepLevels::each(const Tensor& t, int64_t n,
                            const std::function<Tensor(int64_t first, int64_t count, double abar)>& f) const {
  std::vector<double> abar = times_of(t, n);
  for (double& value : abar) value = abar_at(value);
  return each_run(abar, f);
}

std::vector<double> times_of(const Tensor& t, int64_t n) {
  if (!t.defined() || t.dim() != 1 || t.size(0) != n) {
    throw ShapeError(c10::str("mixture: expected a time for each image, [", n, "], got ",
                              t.defined() ? c10::str(t.sizes()) : "none"));
  }
  const Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + n};
}

Tensor each_run(const std::vector<double>& values,
                const std::function<Tensor(int64_t first, int64_t count, double value)>& f) {
  std::vector<Tensor> results;
  for (std::size_t first = 0; first < values.size();) {
    std::size_t last = first + 1;
    while (last < values.size() && values[last] == values[first]) ++last;
    results.push_back(f(static_cast<int64_t>(first), static_cast<int64_t>(last - first), values[first]));
    first = last;
  }
  return at::cat(results);
}

}  // namespace sextant::diffusion
