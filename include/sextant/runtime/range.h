// Bounds: which numbers a setting may be, and which numbers it names.
#pragma once

#include <limits>
#include <string>

namespace sextant {

inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// The numbers that a setting may be. A range stands beside its field: the library and the option tables read that one.
/// Finite numbers, low <= value <= high, or low < value where `above` is set.
struct Range {
  double low = 0;
  double high = kUnlimited;
  bool above = false;

  /// NaN and infinity are in no range.
  bool contains(double value) const;

  /// "from 0 to 10", "above 0 to 10", "0 or more", "above 0"
  std::string text() const;

  /// UsageError "guide: scale must be a number from 0 to 10, got 11" unless it contains the value.
  void check(const char* caller, const char* setting, double value) const;
};

/// A closed interval of numbers: low <= value <= high.
struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
  bool operator==(const Interval&) const = default;
};

}  // namespace sextant
