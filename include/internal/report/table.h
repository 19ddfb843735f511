// Tables of results as text.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sextant::report {

/// Plain text in rows and columns, UTF-8.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;               ///< as many cells each as the header
  std::vector<std::pair<std::size_t, std::size_t>> best{};  ///< row and column of cells to be set in bold
};

enum class TableFormat {
  kTerminal,      ///< columns side by side, two spaces apart
  kBoldTerminal,  ///< the same; the best cells in bold by escape sequences, for a terminal that knows them
  kMarkdown,
  kCsv,    ///< RFC 4180: quoted where needed, lines end in CR LF; nothing is bold
  kLatex,  ///< a tabular with the rules of booktabs
};

/// The table as text that ends with a line break. Columns whose cells are all numbers (or empty) stand to the right.
/// ShapeError for a row of another length than the header's.
std::string format_table(const Table& table, TableFormat format);

/// `value` with `digits` after the point, "inf" and "nan" included; for cells.
std::string fixed(double value, int digits);

/// Digits behind the point with which the smallest size among `values`, but for 0, has three figures: at least `least`,
/// at most 6. So a distance of 0.0106 is not 0.01, and one of 60.41 not 60.4123.
int digits_for(const std::vector<double>& values, int least);

}  // namespace sextant::report
