// Line charts and reliability diagrams, as SVG and as pictures.
//
// A diagram is drawn once, on either kind of paper: svg() gives a document of its own, picture() uint8 [H, W, 3] for
// write_png(). Both have the same lines in the same places. ShapeError where x and y differ in length.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/calibration/calibration.h"
#include "sextant/runtime/tensor.h"

namespace sextant::report {

/// One line of a chart. A value that is not finite leaves a gap.
struct Curve {
  std::string name;  ///< in the legend; "" for none
  std::vector<double> x;
  std::vector<double> y;
  bool marks = false;  ///< a dot at every point
};

/// Curves over one pair of axes, with ticks at round numbers, a grid and a legend.
struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Curve> curves;
  bool log_y = false;                            ///< decades; values <= 0 leave a gap
  std::optional<std::pair<double, double>> y{};  ///< range of y; left out it is that of the values
  int64_t width = 640;
  int64_t height = 400;
};

std::string svg(const Chart& chart);
Tensor picture(const Chart& chart);

/// A reliability diagram: accuracy over confidence, a bar a bin, its gap to the diagonal shaded and the share of the
/// samples below.
struct Reliability {
  std::string title;
  calibration::Bins bins;
  int64_t size = 420;  ///< width in pixels
};

std::string svg(const Reliability& diagram);
Tensor picture(const Reliability& diagram);

/// `stem`.svg and `stem`.png, each whole or not at all. Error when they cannot be written.
void write_diagram(const std::filesystem::path& stem, const Chart& chart);
void write_diagram(const std::filesystem::path& stem, const Reliability& diagram);

}  // namespace sextant::report
