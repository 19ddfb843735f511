// Pictures of samples and tables of results.
//
// A picture is uint8 [H, W, C] on the CPU, C = 1 (grey) or 3 (RGB). ShapeError for anything else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::report {

/// Writes a picture as PNG, whole or not at all. Error when the file cannot be written.
void write_png(const std::filesystem::path& path, const Tensor& picture);

struct GridStyle {
  int64_t columns = 0;       ///< images per row; 0 makes the grid about square
  int64_t padding = 2;       ///< pixels around every image
  int64_t scale = 1;         ///< each pixel becomes scale x scale
  uint8_t background = 128;  ///< grey level of the padding
};

/// `images` uint8 [N, H, W, C], N >= 1, row by row in one picture.
Tensor grid(const Tensor& images, const GridStyle& style = {});

/// One line of text, black on white, 7 x scale pixels high: [7s, 6s n, 1]. Letters are capitals; a character outside
/// the small built-in font becomes a box.
Tensor text(const std::string& line, int64_t scale = 1);

/// Pictures in rows and columns under captions. An undefined tensor leaves its cell empty.
struct Board {
  std::string title;
  std::vector<std::string> columns;        ///< captions above; empty for none
  std::vector<std::string> rows;           ///< captions at the left; empty for none
  std::vector<std::vector<Tensor>> cells;  ///< pictures [row][column], any sizes, grey or RGB
  int64_t text_scale = 1;
};

/// The board as one picture, RGB when any cell is.
Tensor board(const Board& board);

// ---- tables
// ----------------------------------------------------------------------------------------------------------

/// Plain text in rows and columns, UTF-8.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< as many cells each as the header
};

enum class TableFormat {
  kTerminal,  ///< columns side by side, two spaces apart
  kMarkdown,
  kCsv,  ///< RFC 4180: quoted where needed, lines end in CR LF
};

/// The table as text that ends with a line break. Columns whose cells are all numbers (or empty) stand to the right.
std::string format_table(const Table& table, TableFormat format);

/// `value` with `digits` after the point, "inf" and "nan" included; for cells.
std::string fixed(double value, int digits);

}  // namespace sextant::report
