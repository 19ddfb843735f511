// What a group of several processes consists of.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device_sums.h"
#include "internal/distributed/group.h"

namespace sextant::distributed {

struct Group::Connection {
 public:
  Connection(const World& world, const Environment& environment, const DeviceBackend& cards);
  ~Connection();

  void say(const std::string& where);
  /// Tells the others that this process needs nothing more. The first process waits until all do, since they meet at
  /// it; not where it `failed`.
  void leave(bool failed);

  /// The function that is returned waits for the sum.
  std::function<void()> begin_sum(const Tensor& x);
  /// Sums, waited for, over more connections between the same processes. Holds as long as this.
  std::function<void(const Tensor& x)> open_apart(const Environment& environment);
  /// A group of the cards that holds as long as this; see open_group().
  DeviceGroup open(at::Device device);
  /// What each process gave, all of one shape.
  std::vector<Tensor> gather(const Tensor& x);

  /// Runs a collective; what goes wrong in it becomes a LostProcess that names the process to blame. An Error stays.
  void carry_out(const std::function<void()>& collective);
  /// std::runtime_error where another process is seen to be gone or says that it failed: nothing else ends a card's sum
  /// before the time is over.
  void look();
  std::chrono::milliseconds timeout() const { return std::chrono::seconds(timeout_); }

  const DeviceBackend& cards;

 private:
  struct Parts;
  void meet(const Environment& environment);
  /// UsageError where another process has this one's rank, or the first was told of another number of them.
  void check_number();
  LostProcess blamed(const std::string& cause);

  World world_;
  int64_t timeout_ = 1800;  ///< seconds
  std::shared_ptr<Parts> parts_;
};

}  // namespace sextant::distributed
