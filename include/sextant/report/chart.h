// Line charts.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/report/drawing.h"

namespace sextant::report {

/// One line of a chart. A value that is not finite leaves a gap.
struct Curve {
  std::string name;  ///< in the legend; "" for none
  std::vector<double> x{};
  std::vector<double> y{};
  bool marks = false;          ///< a dot at every point
  std::vector<double> low{};   ///< a band around the line from here ...
  std::vector<double> high{};  ///< ... to here, as many as x; both empty for none
  bool line = true;            ///< false: dots alone
  std::vector<double> to_x{};  ///< an arrow from every point to here, as many as x; both empty for none
  std::vector<double> to_y{};
  /// Curves of one family share a colour and differ in how they are dashed; none is a family of its own.
  std::optional<std::size_t> family{};
};

/// Curves over one pair of axes, with ticks at round numbers, a grid and, beside it, a legend. Curves differ in colour
/// and in how they are dashed.
struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Curve> curves;
  bool x_falls = false;                          ///< from high to low, as diffusion's steps are made
  bool log_y = false;                            ///< values <= 0 leave a gap
  std::optional<std::pair<double, double>> y{};  ///< range of y; left out it is that of the values
  std::optional<std::pair<double, double>> x{};  ///< likewise
  bool equal = false;                            ///< a unit of x is as long as one of y, for points in a plane
};

/// ShapeError where the parts of a curve differ in length.
Drawing draw(const Chart& chart);

}  // namespace sextant::report
