#if defined(SEXTANT_CUDA)
#include "cuda/graphs.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <map>
#include <mutex>

namespace sextant::cuda {
namespace {

using c10::cuda::CUDAStream;

/// Nothing is recorded on the default stream, so there is one for it, and it waits for what came before.
class Graphs : public Recorder {
 public:
  explicit Graphs(c10::DeviceIndex card) : card_(card), side_(c10::cuda::getStreamFromPool(false, card)) {}

  void rehearse(const std::function<void()>& work) override {
    constexpr int kTimes = 3;  // cuDNN's tries and libtorch's memory settle; as many as PyTorch's own graphs take
    aside([&] {
      for (int i = 0; i < kTimes; ++i) work();
    });
  }

  std::function<void()> record(const std::function<void()>& work) override {
    auto graph = std::make_shared<at::cuda::CUDAGraph>();
    // Other threads may wait for the card meanwhile: one writes the images of the last batch.
    aside([&] {
      graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      try {
        work();
        graph->capture_end();
      } catch (const c10::OutOfMemoryError&) {
        end_quietly(*graph);
        throw;
      } catch (const c10::Error& error) {
        end_quietly(*graph);
        throw NotRecorded(error.what_without_backtrace());
      }
    });
    return [graph] { graph->replay(); };
  }

  int64_t queue() const override { return c10::cuda::getCurrentCUDAStream(card_).id(); }

 private:
  /// The work's own error is the one to hear of. The allocator would go on putting what is made aside for the graph.
  void end_quietly(at::cuda::CUDAGraph& graph) const {
    const auto quietly = [](const auto& f) {
      try {
        f();
      } catch (const std::exception&) {
      }
    };
    quietly([&] { graph.capture_end(); });
    quietly([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(card_, graph.pool()); });
    static_cast<void>(cudaGetLastError());  // or the next operation is told of it
  }

  void aside(const std::function<void()>& work) {
    const std::lock_guard lock(mutex_);
    const CUDAStream before = c10::cuda::getCurrentCUDAStream(card_);
    wait(side_, before);
    {
      const c10::cuda::CUDAStreamGuard guard(side_);
      work();
    }
    wait(before, side_);
  }

  /// What `later` is given from now on waits for what `earlier` was given so far.
  static void wait(const CUDAStream& later, const CUDAStream& earlier) {
    c10::Event event(c10::DeviceType::CUDA);
    event.record(earlier.unwrap());
    event.block(later.unwrap());
  }

  c10::DeviceIndex card_;
  CUDAStream side_;
  std::mutex mutex_;
};

}  // namespace

Recorder* graphs_on(at::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, std::unique_ptr<Graphs>> cards;
  const c10::DeviceIndex card = device.has_index() ? device.index() : c10::cuda::current_device();
  const std::lock_guard lock(mutex);
  std::unique_ptr<Graphs>& graphs = cards[card];
  if (!graphs) graphs = std::make_unique<Graphs>(card);
  return graphs.get();
}

}  // namespace sextant::cuda
#endif
