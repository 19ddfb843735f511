// Processes of this machine.
#pragma once

#include <string>

namespace sextant::distributed {

std::string host();

/// When a process of this machine began, in ticks since its boot: a number that its successor under the same id does
/// not have. Empty where no such process runs.
std::string began(const std::string& process);

/// The nearest ancestor of this process without the environment variable `variable`, or of another user: what started
/// the processes that have it, whatever stands between (bash -c, timeout, a container's exec).
std::string ancestor_without(const std::string& variable);

/// Whether a signal or a debugger keeps a process of this machine from running.
bool stopped(const std::string& process);

/// One boot of one machine: processes are comparable within it alone. A container has its own name for the host and its
/// own numbers of processes, so both are part of it. Three words.
std::string machine();

/// A process as it introduces itself to the others.
struct Member {
  std::string host, boot, space, process, start;

  explicit Member(const std::string& introduction);
  /// Whether it is on the machine of `self` and no longer runs.
  bool gone(const Member& self) const;
  /// Whether it is on the machine of `self` and stopped().
  bool stopped(const Member& self) const;

 private:
  bool beside(const Member& self) const { return host == self.host && boot == self.boot && space == self.space; }
};

/// This process's.
std::string introduction();

}  // namespace sextant::distributed
