// Whether tensors are added on the card that they lie on, and how a process waits for that.
#pragma once

#include <functional>
#include <string>

#include "internal/distributed/device_group.h"

namespace sextant::distributed {

struct Choice {
  bool on_device = false;
  std::string note;  ///< why it is the CPU, where the device was asked for; a line, or empty
};

/// What this process is for, by itself. Asked for is `backend` by SEXTANT_CUDA_KERNELS=1.
Choice choose(at::Device device, const Environment& environment, const DeviceBackend& backend);

/// Why it is the CPU, where only some processes are for their cards.
std::string too_few(int64_t able, int64_t size, const std::string& backend);

/// Waits for the end of `sum`, and calls `look`, which may throw, every second meanwhile. std::runtime_error after
/// `timeout`.
void await(const DeviceSum& sum, std::chrono::milliseconds timeout, const std::function<void()>& look);

/// Opens a group for `device` by `open` and adds once, for NCCL meets the others in its first sum. It runs in a thread
/// of its own, for it may hang, and is waited for as await() does. Error, with the backend's `name`, where it does not
/// work.
DeviceGroup open_group(const std::string& name, at::Device device, std::function<DeviceGroup()> open,
                       std::chrono::milliseconds timeout, const std::function<void()>& look);

}  // namespace sextant::distributed
