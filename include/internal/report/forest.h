// Differences and their intervals, one row under the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sextant/report/drawing.h"

namespace sextant::report {

struct ForestEntry {
  double value = 0;
  std::optional<double> low, high;  ///< its interval
};

/// One scale and what stands on it.
struct ForestPanel {
  std::string label;
  bool smaller_is_better = false;
  std::vector<std::optional<ForestEntry>> rows;  ///< as many as there are rows
};

/// A dot for each value with its interval as a line, beside a line at zero. A few large ones do not squeeze the others:
/// what lies beyond three times the median size is an arrowhead at the edge with its number. Intervals that leave out
/// zero are green or red.
struct Forest {
  std::string title;
  std::vector<std::string> rows;
  std::vector<ForestPanel> panels;
};

/// ShapeError where a panel has not as many entries as there are rows.
Drawing draw(const Forest& forest);

}  // namespace sextant::report
