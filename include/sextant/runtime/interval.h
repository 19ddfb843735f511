// A closed interval of numbers.
#pragma once

namespace sextant {

/// low <= value <= high.
struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
  bool operator==(const Interval&) const = default;
};

}  // namespace sextant
