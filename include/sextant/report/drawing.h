// Charts, reliability diagrams and montages, drawn as SVG, PDF or PNG, and pictures as they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/calibration/calibration.h"
#include "sextant/runtime/tensor.h"

namespace sextant::report {

// Drawings: lines, letters and pictures that become SVG, PDF or PNG, the same in each.
//
// Charts, reliability diagrams and montages are made into a drawing by draw(); write_drawing() puts it on paper. The
// same drawing gives the same bytes on the same machine. Callable from any thread.

class Pen;

/// A sheet and what is on it. One unit is a pixel of an SVG and a point of a PDF.
struct Drawing {
  double width;
  double height;
  double resolution;  ///< pixels a unit in a PNG, where the longer side then has at most 16384 pixels; else fewer
  std::function<void(Pen&)> paint;
};

/// Whether this build can draw: it was made with cairo. Where it cannot, draw() of what has letters and all that is
/// below throw Error.
bool can_draw();

/// Writes `path`, whole or not at all, as its extension says: .svg, .pdf or .png. UsageError for another extension,
/// Error when the file cannot be written.
void write_drawing(const std::filesystem::path& path, const Drawing& drawing);

/// write_drawing() of `stem`.svg, for documents, and of `stem`.png, for everything else.
void write_svg_and_png(const std::filesystem::path& stem, const Drawing& drawing);

/// The drawing as a picture uint8 [H, W, 3] on white.
Tensor rasterized(const Drawing& drawing);

// Line charts.

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
/// and in how they are dashed. Axes reach as far as values, bands and arrows.
struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Curve> curves;
  bool x_falls = false;                          ///< from high to low, as diffusion's steps are made
  bool log_x = false;                            ///< values <= 0 leave a gap
  bool log_y = false;                            ///< likewise
  std::optional<std::pair<double, double>> y{};  ///< range of y; left out it is that of the values
  std::optional<std::pair<double, double>> x{};  ///< likewise
  bool equal = false;                            ///< a unit of x is as long as one of y, for points in a plane
};

/// ShapeError where the parts of a curve differ in length.
Drawing draw(const Chart& chart);

// Reliability diagrams.

/// Accuracy over confidence: a bar a bin, its gap to the diagonal shaded, and the share of the samples below.
struct Reliability {
  std::string title;
  calibration::Bins bins;
};

Drawing draw(const Reliability& diagram);

// Pictures in rows and columns under captions.

/// Columns are as wide and rows as high as their largest picture. Captions that are much longer have dots in their
/// middle.
struct Montage {
  std::string title;
  std::vector<std::string> columns;        ///< captions above; empty for none
  std::vector<std::string> rows;           ///< captions at the left; empty for none
  std::vector<std::vector<Tensor>> cells;  ///< uint8 [H, W, 1 or 3] [row][column], any sizes; undefined: an empty cell
  double letters = 20;                     ///< height of the captions in pixels
  std::vector<std::string> values{};       ///< behind the captions of rows, never shortened; empty for none
};

/// A unit is a pixel of the cells. ShapeError for a cell that is no picture.
Drawing draw(const Montage& montage);

// ---- pictures -----------------------------------------------------------------------------------------------------
//
// Pictures as PNG files.

// A picture is uint8 [H, W, C], C = 1 (grey) or 3 (RGB), with at least one pixel. ShapeError for anything else.

/// Writes a picture on the CPU as PNG, whole or not at all. Error when the file cannot be written.
void write_png(const std::filesystem::path& path, const Tensor& picture);

// Many images of one size in one picture.

struct GridStyle {
  int64_t columns = 0;       ///< images per row; 0 makes the grid about square
  int64_t padding = 2;       ///< pixels around every image
  int64_t scale = 1;         ///< each pixel becomes scale x scale
  uint8_t background = 128;  ///< grey level of the padding
};

/// `images` uint8 [N, H, W, 1 or 3], N >= 1, row by row in one picture uint8 [H', W', 1 or 3]. ShapeError for anything
/// else, UsageError for a scale below 1 and for columns or padding below 0.
Tensor grid(const Tensor& images, const GridStyle& style = {});

}  // namespace sextant::report
