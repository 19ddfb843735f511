// Progress of a long run: a bar with rate and time left on a terminal, plain lines elsewhere, or nothing.
//
// One thread reports; nothing is thrown.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace sextant {

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

}  // namespace sextant
