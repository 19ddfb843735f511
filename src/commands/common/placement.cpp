#include "common/placement.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <thread>

#include "sextant/runtime/error.h"

namespace sextant::commands {

void place(RunConfig& run) {
  const distributed::World here = distributed::world_of(distributed::process_environment());
  if (here.size == 1) return;
  if (run.threads == 0) {
    // mpirun and srun give each process cores of its own; torchrun does not, and whoever starts them by hand.
    const bool bound = here.launcher == "mpirun" || here.launcher == "srun";
    const int64_t shared = bound ? std::max<int64_t>(cores(), std::thread::hardware_concurrency()) : cores();
    run.threads = std::min<int64_t>(cores(), std::max<int64_t>(1, shared / here.local_size));
  }
  if (run.device.kind == DeviceKind::kCuda && !run.device.index) run.device.index = static_cast<int>(here.local_rank);
}

std::unique_ptr<distributed::Group> group_of(const RunConfig& run) {
  return run.alone ? std::make_unique<distributed::Group>() : distributed::join_group();
}

void agree(distributed::Group& group, const nlohmann::json& identity) {
  if (group.alone()) return;
  const std::vector<std::string> all = group.gather(std::vector<std::string>{identity.flatten().dump()});
  const auto first = nlohmann::json::parse(all.front());
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all.front()) continue;
    const auto other = nlohmann::json::parse(all[rank]);
    std::string entry;
    for (const auto& [name, value] : first.items()) {
      if (entry.empty() && other.value(name, nlohmann::json()) != value) entry = name.substr(1);
    }
    for (const auto& [name, value] : other.items()) {
      if (entry.empty() && !first.contains(name)) entry = name.substr(1);
    }
    throw UsageError("process " + std::to_string(rank) + " of " + std::to_string(group.size()) +
                     " does another work than process 0: " + entry +
                     " differs; start all of them with the same settings and files");
  }
}

void resolve_device(RunConfig& run) {
  if (run.device.kind == DeviceKind::kAuto)
    run.device.kind = device_of(run.device).is_cuda() ? DeviceKind::kCuda : DeviceKind::kCpu;
}

namespace {

/// Backward passes have a thread of their own, and libtorch prints a warning where that thread's first work on a card
/// is a matrix product.
void wake_backward(at::Device device) {
  const at::AutoGradMode on(true);
  const Tensor one = at::ones({1}, device).requires_grad_();
  torch::autograd::grad({2 * one}, {one});
}

}  // namespace

models::Placement placement_of(const RunConfig& run, const std::vector<std::optional<Precision>>& parts) {
  const at::Device device = device_of(run.device);
  std::vector<Precision> used = {run.precision};
  for (const std::optional<Precision>& part : parts) {
    if (part) used.push_back(*part);
  }
  for (const Precision precision : used) check_precision(precision, device);
  const auto holds = [&](Precision precision) { return std::count(used.begin(), used.end(), precision) > 0; };
  if (holds(Precision::kTf32) && holds(Precision::kFp32)) {
    throw UsageError(
        "precision tf32 of one network and fp32 of another: TF32 is a switch of the whole process; give both the same, "
        "or bf16 to one");
  }
  if (device.is_cuda()) {
    set_cuda_arithmetic({holds(Precision::kTf32), run.deterministic});
    wake_backward(device);
  }
  return {device, dtype_of(run.precision)};
}

}  // namespace sextant::commands
