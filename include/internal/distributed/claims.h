// Work dealt among processes that share nothing but a folder: tasks of a Slurm array, ranks of a job, spot machines.
//
// A claim on a unit of work is a file that appears at once (O_EXCL). Its owner renews it while it lives; a claim that
// is not renewed for a whole lease is anybody's. Two owners of one unit are possible then (a machine that slept, a
// server that hung) and must be harmless: a unit's result is a function of its number and is put down atomically.
//
// No clock is compared with another: an observer counts the lease on its own steady clock, from when it first saw the
// file in its present state. A clock that jumps, or that differs between machines, changes nothing. The claim of a
// process of this machine that no longer runs is free at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sextant::distributed {

class Claims {
 public:
  /// Claims in `folder`, which exists. `lease` in seconds, above 0.
  Claims(std::filesystem::path folder, double lease);
  /// Gives back what is held.
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// Takes `unit` unless a live process holds it or the folder is gone; takes over a dead one's claim. At most one is
  /// held at a time. Error when the folder cannot be written.
  bool take(int64_t unit);
  /// Gives the held unit back: it is done, or someone else's turn.
  void release();

  /// Whether somebody took `unit` and neither gave it back nor is known to be dead.
  bool held(int64_t unit);

  /// The file of a unit's claim, whose line names the owner: host, boot, process namespace, process, start.
  std::filesystem::path file(int64_t unit) const;

 private:
  /// A state of a claim's file and when this process first saw it so.
  struct Seen {
    uint64_t inode = 0;
    int64_t renewed = 0;  ///< time of modification as the file system tells it, in ns; compared for equality only
    std::chrono::steady_clock::time_point since;
  };

  bool create(int64_t unit);
  bool dead(int64_t unit);
  void renew();

  std::filesystem::path folder_;
  std::chrono::duration<double> lease_;
  std::string owner_;
  std::map<int64_t, Seen> seen_;
  std::mutex mutex_;  ///< guards held_ and closing_
  std::condition_variable closing_changed_;
  std::optional<int64_t> held_;
  bool closing_ = false;
  std::thread renewer_;
};

}  // namespace sextant::distributed
