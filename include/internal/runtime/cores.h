// Cores that other processes want too.
#pragma once

#include <cstdint>

namespace sextant {

/// Keeps parallel work fair and quick beside other processes, for the rest of the process. For programs, at their
/// start.
///
/// libgomp's threads wait for each other by spinning, some 10 ms long, at the end of every parallel region. Nothing is
/// faster on cores of one's own; on shared ones a waiting thread keeps its core from the process, often its own team,
/// that everybody waits for, and a run takes a multiple of its fair share. So a thread looks twenty times a second at
/// how long this process's threads stood in line for a core, and while they do, they wait asleep.
///
/// False, and nothing is done, where GOMP_SPINCOUNT or OMP_WAIT_POLICY is set (the user has chosen) or the kernel does
/// not tell how long threads stand in line.
bool share_busy_cores();

/// The rule behind it: two numbers in, busy or not out.
class BusyCores {
 public:
  /// `waited` and `now`, in nanoseconds and both growing: what all threads together have stood in line for, and a
  /// clock. Busy from the moment that they stood in line for more than 1/20 of an interval, until they did for less
  /// than 1/100 of it ten times in a row: one who shares waits less.
  bool observe(int64_t waited, int64_t now);

 private:
  bool busy_ = false;
  int calm_ = 0;
  int64_t waited_ = -1;
  int64_t now_ = 0;
};

}  // namespace sextant
