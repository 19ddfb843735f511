// What a caller hears of long work, how long it takes, and how it ends it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant {

// Progress of a long run: a bar with rate and time left on a terminal, plain lines elsewhere, or nothing.
//
// One thread reports; nothing is thrown.

class Progress {
 public:
  virtual ~Progress() = default;
  /// Work of `total` units called `unit` ("images") begins, `done` of them finished by an earlier run.
  virtual void begin(const std::string& task, double total, double done, const std::string& unit) = 0;
  /// `done` units, fractions included, are finished now.
  virtual void update(double done) = 0;
  /// The work is over, finished or not.
  virtual void end() = 0;
  /// A line for the reader, above the bar.
  virtual void note(const std::string& line) = 0;
};

enum class ProgressStyle {
  kBar,    ///< rewrites one line
  kLines,  ///< a new line every tenth of the work or every 30 seconds, whichever is rarer
  kQuiet,  ///< notes only
};

/// Seconds from any fixed moment.
using Clock = std::function<double()>;

double steady_seconds();

/// Writes to `out`, which must outlive it. Tests pass their own clock.
std::unique_ptr<Progress> make_progress(ProgressStyle style, std::ostream& out, Clock clock = steady_seconds);

/// 75 -> "1:15", 3675 -> "1:01:15".
std::string format_duration(double seconds);

// Time that a device takes, measured without waiting for it.

/// Adds up spans of one thing that happens again and again. On a GPU a moment is an event in its queue, which is read
/// when the sum is asked for; with libtorch before 2.6, whose events tell no time, a moment waits for the GPU.
class Stopwatch {
 public:
  struct Moment;
  /// This moment in the work that `device` was given so far.
  static std::shared_ptr<Moment> now(at::Device device);

  /// A span between two moments of one device.
  void add(std::shared_ptr<Moment> begin, std::shared_ptr<Moment> end);

  /// Seconds of all spans added since the last call, which are forgotten; waits for the last of them.
  double take();

 private:
  std::vector<std::pair<std::shared_ptr<Moment>, std::shared_ptr<Moment>>> spans_;
};

// The wish to stop: set by a signal, read by long runs between two pieces of work.

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

/// While it lives, the first SIGINT, SIGTERM, SIGHUP, SIGUSR1 or SIGXCPU requests `stop` and a second one ends the
/// process at once with the exit code of its signal; the last three where they are not ignored, as below nohup. SIGPIPE
/// is ignored. At most one at a time; the former handlers come back at its end.
class StopOnSignals {
 public:
  explicit StopOnSignals(Stop& stop);
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;
};

}  // namespace sextant
