#include "device_sums.h"

#include <c10/core/DeviceGuard.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "sextant/runtime/error.h"

namespace sextant::distributed {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What a thread that may hang leaves.
struct Opened {
  DeviceGroup group;
  std::string trouble;
  std::atomic<bool> done = false;
};

}  // namespace

Choice choose(at::Device device, const Environment& environment, const DeviceBackend& backend) {
  if (device.type() != backend.device || environment("SEXTANT_CUDA_KERNELS").value_or("") != "1") return {};
  if (backend.missing.empty()) return {true, ""};
  return {false, "gradients on " + device.str() + " are added on the CPU by Gloo: " + backend.missing};
}

std::string too_few(int64_t able, int64_t size, const std::string& backend) {
  return "gradients are added on the CPU by Gloo: " + std::to_string(able) + " of " + std::to_string(size) +
         " processes have " + backend + " and SEXTANT_CUDA_KERNELS=1";
}

void await(const DeviceSum& sum, milliseconds timeout, const std::function<void()>& look) {
  constexpr milliseconds kBetween(1000);
  const Clock::time_point begin = Clock::now();
  Clock::time_point looked = begin;
  while (!sum.done()) {
    const Clock::time_point now = Clock::now();
    if (now - begin > timeout) throw std::runtime_error("a sum on a card did not end in time");
    if (now - looked > kBetween) {
      look();
      looked = now;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  sum.finish();
}

DeviceGroup open_group(const std::string& name, at::Device device, std::function<DeviceGroup()> open,
                       milliseconds timeout, const std::function<void()>& look) {
  const auto opened = std::make_shared<Opened>();
  std::thread([opened, device, open = std::move(open)] {
    try {
      const c10::DeviceGuard guard(device);
      opened->group = open();
      const DeviceSum sum = opened->group.begin(at::ones({1}, at::TensorOptions(device).dtype(at::kFloat)));
      while (!sum.done()) std::this_thread::sleep_for(milliseconds(1));
      sum.finish();
    } catch (const std::exception& error) {
      const std::string text = error.what();
      opened->trouble = text.substr(0, text.find('\n'));  // libtorch's go on with a stack
    }
    opened->done = true;
  }).detach();
  await({[opened] { return opened->done.load(); }, [] {}}, timeout, look);
  if (opened->trouble.empty()) return opened->group;
  look();  // another process may be why
  throw Error("gradients on " + device.str() + " cannot be added by " + name + ": " + opened->trouble +
              "; SEXTANT_CUDA_KERNELS=0 adds them on the CPU");
}

}  // namespace sextant::distributed
