// The one place that knows which libtorch it is compiled against: 1.13 to 2.x.
#pragma once

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>
#if defined(SEXTANT_CUDA)
#include <c10/cuda/CUDAStream.h>
#endif

#include <memory>

#include "sextant/runtime/device.h"
#include "sextant/runtime/tensor.h"

/// Whether the headers are of libtorch `major`.`minor` or newer.
#define SEXTANT_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace sextant::libtorch {

/// The number of the cuDNN that is loaded; of older libtorch, that it was compiled with.
inline long cudnn_number() {
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  if (!hooks.compiledWithCuDNN()) return 0;
#if SEXTANT_TORCH_AT_LEAST(2, 10)
  return hooks.versionRuntimeCuDNN();
#else
  return hooks.versionCuDNN();
#endif
}

/// A place in a GPU's queue of work.
class Mark {
 public:
  /// Behind the work that `device` was given so far. Null where libtorch's events can neither be waited for nor tell
  /// the time (before 2.6): then the device has done that work.
  static std::unique_ptr<Mark> make(at::Device device) {
#if SEXTANT_TORCH_AT_LEAST(2, 6)
    auto mark = std::make_unique<Mark>(device);
    mark->event_.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
    return mark;
#else
    synchronize(device);
    return nullptr;
#endif
  }
  explicit Mark([[maybe_unused]] at::Device device) : event_(device.type(), c10::EventFlag::BACKEND_DEFAULT) {}

  /// Waits until the device is there.
  void wait() const {
#if SEXTANT_TORCH_AT_LEAST(2, 6)
    event_.synchronize();
#endif
  }
  /// Time from an earlier mark to this one; waits for it.
  double seconds_since([[maybe_unused]] const Mark& earlier) const {
#if SEXTANT_TORCH_AT_LEAST(2, 6)
    event_.synchronize();
    return 1e-3 * earlier.event_.elapsedTime(event_);
#else
    return 0;
#endif
  }

 private:
  c10::Event event_;
};

#if defined(SEXTANT_CUDA)
#if !SEXTANT_TORCH_AT_LEAST(2, 6)
#error "SEXTANT_CUDA needs libtorch 2.6 or newer; configure with -DSEXTANT_CUDA=OFF"
#endif
/// The stream that libtorch's work on `device` goes to: a cudaStream_t.
inline void* stream_of(at::Device device) { return c10::cuda::getCurrentCUDAStream(device.index()).stream(); }
#endif

/// Whether at::scaled_dot_product_attention takes a scale of one's own.
#define SEXTANT_TORCH_HAS_ATTENTION SEXTANT_TORCH_AT_LEAST(2, 1)

}  // namespace sextant::libtorch
