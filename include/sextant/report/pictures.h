// Pictures as PNG files.
#pragma once

#include <cstdint>
#include <filesystem>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

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
/// else.
Tensor grid(const Tensor& images, const GridStyle& style = {});

}  // namespace sextant::report
