// Work that a GPU learns once and then repeats.
//
// A call of a network is hundreds of kernels. Where a GPU is done with each sooner than the processor has launched the
// next, it waits; at batch 1 for most of a step. A CUDA graph launches them all together, on the same memory each time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant {

/// Work that cannot be recorded, and why.
struct NotRecorded : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What records work of one device. CUDA graphs do; the tests have one that repeats it on a CPU.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;

  /// Does `work`, so that all that only a first call makes or chooses is there.
  virtual void rehearse(const std::function<void()>& work) = 0;
  /// Calls `work` once and returns what does it again, on the very same tensors. Until that is called for the first
  /// time they may hold anything. Throws NotRecorded for work that waits for the device or goes another way each time.
  virtual std::function<void()> record(const std::function<void()>& work) = 0;
  /// The queue that the caller's work goes to now.
  virtual int64_t queue() const = 0;
};

/// CUDA graphs on `device` where own_cuda_kernels() are used, else null.
Recorder* recorder_of(at::Device device);

/// y = f(inputs), recorded for each choice of shapes, dtypes and queue, and repeated from then on.
///
/// The first input is the one that y is differentiable in, once. An undefined input stays undefined. f reads nothing
/// else that changes; one that waits for the device cannot be recorded and is called each time. Callable from any
/// thread; copies share what was recorded. The memory of a recording is kept for it: eight are, the oldest goes.
class Replayed {
 public:
  using Function = std::function<Tensor(const std::vector<Tensor>& inputs)>;

  Replayed(Function f, Recorder& recorder);

  Tensor operator()(const std::vector<Tensor>& inputs) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace sextant
