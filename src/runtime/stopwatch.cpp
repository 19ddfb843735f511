#include "internal/runtime/libtorch.h"
#include "sextant/runtime/progress.h"

namespace sextant {

struct Stopwatch::Moment {
  double seconds = 0;                       ///< of the steady clock, where there is no mark
  std::unique_ptr<libtorch::Mark> reached;  ///< in a GPU's queue
};

std::shared_ptr<Stopwatch::Moment> Stopwatch::now(at::Device device) {
  auto moment = std::make_shared<Moment>();
  if (device.is_cuda()) moment->reached = libtorch::Mark::make(device);
  if (!moment->reached) moment->seconds = steady_seconds();
  return moment;
}

void Stopwatch::add(std::shared_ptr<Moment> begin, std::shared_ptr<Moment> end) {
  spans_.emplace_back(std::move(begin), std::move(end));
}

double Stopwatch::take() {
  double sum = 0;
  for (const auto& [begin, end] : spans_) {
    sum += begin->reached ? end->reached->seconds_since(*begin->reached) : end->seconds - begin->seconds;
  }
  spans_.clear();
  return sum;
}

}  // namespace sextant
