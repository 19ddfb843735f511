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

std::vector<double> TimestepLevels::abar_at(const Tensor& t) const {
  const Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
  std::vector<double> abar;
  for (int64_t n = 0; n < host.numel(); ++n) {
    const double time = host.data_ptr<double>()[n];
    const auto near = std::lower_bound(times_.begin(), times_.end(), time - kTimeTolerance);
    if (near == times_.end() || *near > time + kTimeTolerance) {
      throw UsageError(c10::str("mixture: t = ", time, " is not a timestep of its process"));
    }
    abar.push_back(abar_[static_cast<std::size_t>(near - times_.begin())]);
  }
  return abar;
}

Tensor TimestepLevels::each(const Tensor& t, int64_t n,
                            const std::function<Tensor(int64_t first, int64_t count, double abar)>& f) const {
  if (t.dim() != 1 || t.size(0) != n) {
    throw ShapeError(c10::str("mixture: expected a timestep for each image, [", n, "], got ", t.sizes()));
  }
  const std::vector<double> abar = abar_at(t);
  std::vector<Tensor> results;
  for (std::size_t first = 0; first < abar.size();) {
    std::size_t last = first + 1;
    while (last < abar.size() && abar[last] == abar[first]) ++last;
    results.push_back(f(static_cast<int64_t>(first), static_cast<int64_t>(last - first), abar[first]));
    first = last;
  }
  return at::cat(results);
}

}  // namespace sextant::diffusion
