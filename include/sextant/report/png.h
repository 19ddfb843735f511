// Pictures as PNG files.
//
// A picture is uint8 [H, W, C], C = 1 (grey) or 3 (RGB), with at least one pixel. ShapeError for anything else.
#pragma once

#include <filesystem>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

/// Writes a picture on the CPU as PNG, whole or not at all. Error when the file cannot be written.
void write_png(const std::filesystem::path& path, const Tensor& picture);

}  // namespace sextant::report
