// Sums on cards by libtorch's NCCL. Compiled and linked, this has not run on a card.
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL  // libtorch hides the class from files that do not say that they have NCCL's header
#endif

#include <nccl.h>
#include <torch/csrc/cuda/nccl.h>

#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "internal/distributed/device_group.h"

namespace sextant::distributed {
namespace {

using Nccl = c10d::ProcessGroupNCCL;
using std::chrono::milliseconds;

/// Settings of NCCL's are laid out as its header says, and that has to be libtorch's.
std::string other_version() {
  const uint64_t theirs = torch::cuda::nccl::version();  // 16 bits a part
  const uint64_t major = theirs >> 32, minor = theirs >> 16 & 0xffff;
  if (major == NCCL_MAJOR && minor == NCCL_MINOR) return "";
  return "sextant was compiled with the header of NCCL " + std::to_string(NCCL_MAJOR) + "." +
         std::to_string(NCCL_MINOR) + ", and its libtorch has NCCL " + std::to_string(major) + "." +
         std::to_string(minor);
}

/// libtorch watches its sums by threads that end the process with pages of text. Whoever waits here watches itself, and
/// says who is to blame. What a user has set stays.
void watch_ourselves() {
  for (const char* name : {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ENABLE_MONITORING",
                           "TORCH_NCCL_DUMP_ON_TIMEOUT", "TORCH_NCCL_PROPAGATE_ERROR"}) {
    setenv(name, "0", 0);
  }
}

DeviceGroup open(const c10::intrusive_ptr<c10d::Store>& store, const World& world, milliseconds timeout, at::Device) {
  constexpr std::chrono::minutes kLater(2);  // libtorch's own time-out, when ours has been told
  watch_ourselves();
  auto options = Nccl::Options::create();
  options->timeout = timeout + kLater;
  const auto group = c10::make_intrusive<Nccl>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                               static_cast<int>(world.rank), static_cast<int>(world.size), options);
  const auto begin = [group](const Tensor& x) -> DeviceSum {
    std::vector<Tensor> tensors = {x};
    const auto work = group->allreduce(tensors);
    const auto finish = [work, x] {
      if (const auto problem = work->exception()) std::rethrow_exception(problem);
      work->wait();  // has ended: this makes the stream of the caller wait for it
    };
    return {[work] { return work->isCompleted(); }, finish};
  };
  const auto close = [group](bool failed) {
    try {
      if (failed) {
        group->abort();
      } else {
        group->shutdown();
      }
    } catch (const std::exception&) {
      // The processes part anyway.
    }
  };
  return {begin, close};
}

}  // namespace

const DeviceBackend& nccl() {
  static const DeviceBackend backend{"NCCL", at::kCUDA, other_version(), open};
  return backend;
}

}  // namespace sextant::distributed
