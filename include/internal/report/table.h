// Tables of results as text.
#pragma once

#include <string>
#include <vector>

namespace sextant::report {

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
/// ShapeError for a row of another length than the header's.
std::string format_table(const Table& table, TableFormat format);

/// `value` with `digits` after the point, "inf" and "nan" included; for cells.
std::string fixed(double value, int digits);

}  // namespace sextant::report
