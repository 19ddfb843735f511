// The wish to stop: set by a signal, read by long runs between two pieces of work.
#pragma once

#include <atomic>

namespace sextant {

class Stop {
 public:
  /// Asks for a stop as if `signal` had arrived. Safe in a signal handler.
  void request(int signal) { signal_.store(signal); }
  bool requested() const { return signal_.load() != 0; }
  /// 128 + the signal's number: 130 for SIGINT, 143 for SIGTERM; 0 when no stop was asked for.
  int exit_code() const { return requested() ? 128 + signal_.load() : 0; }

 private:
  std::atomic<int> signal_{0};
};

/// While it lives, the first SIGINT or SIGTERM requests `stop` and a second one ends the process at once with the exit
/// code of its signal. At most one at a time; the former handlers come back at its end.
class StopOnSignals {
 public:
  explicit StopOnSignals(Stop& stop);
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;
};

}  // namespace sextant
