// What adds tensors over processes where they lie, on cards, while messages of a few numbers stay on the CPU.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <string>

#include "internal/distributed/world.h"
#include "sextant/runtime/tensor.h"

namespace c10d {
class Store;
}  // namespace c10d

namespace sextant::distributed {

/// A sum under way.
struct DeviceSum {
  std::function<bool()> done;  ///< whether it has ended, well or not; does not wait
  /// Once it has: throws what went wrong. What the device is given to do from now on sees the sum.
  std::function<void()> finish;
};

/// The processes of a job as a group that adds tensors of one device.
struct DeviceGroup {
  /// Replaces x, contiguous float32 on the device, by its sum over the processes; x belongs to the group until it has.
  std::function<DeviceSum(const Tensor& x)> begin;
  /// The last call, which throws nothing. `failed`: the others may be gone, sums are given up.
  std::function<void(bool failed)> close;
};

/// What a build has for the cards of one kind.
struct DeviceBackend {
  std::string name;
  at::DeviceType device;
  std::string missing;  ///< why this build cannot; empty where it can
  /// Of all processes at the same time. A sum that takes longer than `timeout` is given up by whoever waits for it.
  std::function<DeviceGroup(const c10::intrusive_ptr<c10d::Store>& store, const World& world,
                            std::chrono::milliseconds timeout, at::Device device)>
      open;
};

/// Of CUDA: libtorch's NCCL.
const DeviceBackend& nccl();

}  // namespace sextant::distributed
