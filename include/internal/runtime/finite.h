// NaN and infinity, noticed without making the processor wait for a GPU.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "sextant/runtime/tensor.h"

namespace sextant {

/// Watches the numbers of a run, step by step. On a CPU it looks at once. On a GPU it reads a flag of each tensor a
/// step late, when the whole next step is waiting in the GPU's queue: looking at once would drain the queue.
///
///   FiniteWatch watch(x.device());
///   for each step { ...; watch.look(x, [=] { throw NumericError(...); }); watch.end_step(); }
///   watch.finish();
class FiniteWatch {
 public:
  enum class Reading { kAtOnce, kStepLate };
  explicit FiniteWatch(at::Device device) : FiniteWatch(device.is_cpu() ? Reading::kAtOnce : Reading::kStepLate) {}
  explicit FiniteWatch(Reading reading) : reading_(reading) {}

  /// `complain` throws; it is called, now or later, if `values` hold NaN or infinity. They must not change meanwhile.
  void look(const Tensor& values, std::function<void()> complain);
  /// Reads what was looked at before the step that ends.
  void end_step();
  /// Reads all that is left.
  void finish();

 private:
  struct Late;
  void read(std::size_t count);

  Reading reading_;
  std::deque<std::shared_ptr<Late>> late_;
  std::size_t before_ = 0;  ///< how many of late_ are of earlier steps
};

}  // namespace sextant
