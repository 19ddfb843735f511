// Pictures in rows and columns under captions.
#pragma once

#include <string>
#include <vector>

#include "sextant/report/drawing.h"

namespace sextant::report {

/// Columns are as wide and rows as high as their largest picture. Captions that are much longer end in dots.
struct Montage {
  std::string title;
  std::vector<std::string> columns;        ///< captions above; empty for none
  std::vector<std::string> rows;           ///< captions at the left; empty for none
  std::vector<std::vector<Tensor>> cells;  ///< uint8 [H, W, 1 or 3] [row][column], any sizes; undefined: an empty cell
  double letters = 20;                     ///< height of the captions in pixels
};

/// A unit is a pixel of the cells. ShapeError for a cell that is no picture.
Drawing draw(const Montage& montage);

}  // namespace sextant::report
