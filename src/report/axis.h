// One axis of a chart: its range, where its ticks are and what they say.
#pragma once

#include <string>
#include <vector>

namespace sextant::report {

struct Tick {
  double value;
  std::string label;
};

struct Axis {
  double low = 0;
  double high = 1;
  bool log = false;
  bool falls = false;  ///< from high to low
  std::vector<Tick> ticks{};

  /// Whether the axis can show `value`: finite (up to 1e300), and above 0 where it is logarithmic.
  bool shows(double value) const;
  /// Where `value` lies between low (0) and high (1), or the other way round where it falls; beyond them it is outside
  /// [0, 1].
  double place(double value) const;
};

/// The axis of exactly [low, high], ticks at about `count` round numbers. A range of no width is widened.
Axis linear_axis(double low, double high, int count = 6);
/// The same from the round number at or below `low` to the one at or above `high`.
Axis rounded_axis(double low, double high, int count = 6);
/// From the power of ten at or below `low` to the one at or above `high`, 0 < low <= high; where these are few,
/// from and to 1, 2 or 5 times one.
Axis log_axis(double low, double high);

}  // namespace sextant::report
