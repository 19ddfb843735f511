// Drawings: lines, letters and pictures that become SVG, PDF or PNG, the same in each.
//
// Charts, reliability diagrams and montages are made into a drawing by draw(); write_drawing() puts it on paper. The
// same drawing gives the same bytes on the same machine. Callable from any thread.
#pragma once

#include <filesystem>
#include <functional>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

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

}  // namespace sextant::report
