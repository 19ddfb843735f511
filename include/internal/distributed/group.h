// The processes of a launcher's job as one group that adds and gathers tensors: libtorch's c10d with Gloo, and with
// NCCL what lies on cards.
//
// Everybody calls the same functions in the same order. A process that is killed, or that does not come, ends the
// others with an Error that names it: its rank, its host and where it was.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "internal/distributed/world.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/tensor.h"

namespace sextant::distributed {

/// Another process of the group is gone, has failed or does not come.
class LostProcess : public Error {
 public:
  LostProcess(const std::string& what, bool first) : Error(what), first_(first) {}
  /// Whether no process said so before. The others need not repeat it.
  bool first() const { return first_; }

 private:
  bool first_;
};

struct DeviceBackend;  // internal/distributed/device_group.h

class Group {
 public:
  /// One process: every function gives back what it got.
  Group();
  /// Meets the other processes of `world`: those that a launcher started on one machine at a file in the folder for
  /// temporary files, others at MASTER_ADDR:MASTER_PORT. UsageError where there is no place to meet, Error where this
  /// build has no c10d or some do not come. SEXTANT_TIMEOUT in the environment is how many seconds a process may keep
  /// the others waiting; 1800 where it is not set.
  Group(const World& world, const Environment& environment);
  /// `cards`, which must outlive it, instead of NCCL.
  Group(const World& world, const Environment& environment, const DeviceBackend& cards);
  /// Waits until nobody needs this process any more, unless it leaves by an exception.
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int64_t rank() const { return world_.rank; }
  int64_t size() const { return world_.size; }
  bool alone() const { return world_.size == 1; }
  bool leads() const { return world_.rank == 0; }

  /// This process's part of the numbers 0, ..., count - 1: a stretch of them, as long as the others' give or take one.
  struct Part {
    int64_t begin, end;
  };
  Part part(int64_t count) const { return {count * rank() / size(), count * (rank() + 1) / size()}; }

  /// Does this process's work. An error in it, unless of usage, names the rank and its host.
  void run(const std::function<void()>& work) const;

  /// Says where this process is, "batch 17", for the others' messages.
  void at(const std::string& where);

  /// Replaces x by its sum over the processes: contiguous float32, float64 or int64 on the CPU, of one shape. All
  /// processes get the same bits.
  void sum(const Tensor& x);
  /// Begins sum(x). The function that is returned waits for its end; until then x belongs to the group.
  std::function<void()> begin_sum(const Tensor& x);
  /// sum() over connections of its own: the processes need not agree on the order of these sums and all others. Asked
  /// for by all at the same time; holds as long as the group.
  std::function<void(const Tensor& x)> sums_apart();
  /// How large tensors of a device are added.
  struct Sums {
    at::Device where;  ///< the device's card, or the CPU: where `begin` takes them
    /// As begin_sum(), of contiguous float32. The sum is there for what this thread gives the device to do after
    /// waiting.
    std::function<std::function<void()>(const Tensor& x)> begin;
    std::string note;  ///< why not on the device, where SEXTANT_CUDA_KERNELS=1 asks for that: a line, or empty
  };
  /// Asked by all processes at the same time; all get the same kind of answer, on the device only where each can. Error
  /// where a card or NCCL fails.
  Sums sums_of(at::Device device);
  int64_t sum(int64_t number);
  /// Whether one of the processes says so.
  bool any(bool mine) { return sum(mine ? int64_t{1} : int64_t{0}) > 0; }
  /// The rows [n, ...] of all processes one after the other, in the order of their ranks. Undefined ones count as none.
  Tensor gather(const Tensor& rows);
  std::vector<std::string> gather(const std::vector<std::string>& lines);

 private:
  struct Connection;

  World world_;
  Environment environment_;
  std::unique_ptr<Connection> connection_;
};

/// The group of this process's job by its environment; one process without a launcher.
std::unique_ptr<Group> join_group();

}  // namespace sextant::distributed
