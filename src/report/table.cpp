#include "internal/report/table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>

#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

/// A number, perhaps with more behind it: "3.14", "12 %", "0.79 +- 0.02".
bool looks_numeric(const std::string& cell) {
  if (cell.empty() || cell == "inf" || cell == "nan") return true;
  const size_t first = cell[0] == '-' || cell[0] == '+' ? 1 : 0;
  return first < cell.size() && std::isdigit(static_cast<unsigned char>(cell[first]));
}

struct Column {
  size_t width = 0;
  bool right = true;
};

std::vector<Column> measured(const Table& table) {
  std::vector<Column> columns(table.header.size());
  for (size_t c = 0; c < columns.size(); ++c) columns[c].width = width(table.header[c]);
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < columns.size(); ++c) {
      columns[c].width = std::max(columns[c].width, width(row[c]));
      columns[c].right = columns[c].right && looks_numeric(row[c]);
    }
  }
  return columns;
}

std::string padded(const std::string& cell, const Column& column) {
  const std::string room(column.width - width(cell), ' ');
  return column.right ? room + cell : cell + room;
}

/// The cells of a row that are to be bold.
using Bold = std::vector<bool>;

std::string terminal_line(const std::vector<std::string>& row, const std::vector<Column>& columns,
                          const Bold& bold = {}) {
  std::string line;
  for (size_t c = 0; c < row.size(); ++c) {
    const std::string cell = padded(row[c], columns[c]);
    line += (c ? "  " : "") + (!bold.empty() && bold[c] ? "\x1b[1m" + cell + "\x1b[0m" : cell);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string markdown_line(const std::vector<std::string>& row, const Bold& bold = {}) {
  std::string line = "|";
  for (size_t at = 0; at < row.size(); ++at) {
    const char* const mark = !bold.empty() && bold[at] ? "**" : "";
    line.append(" ").append(mark);
    for (const char c : row[at]) {
      if (c == '|') line += '\\';
      line += c == '\n' ? ' ' : c;
    }
    line.append(mark).append(" |");
  }
  return line + "\n";
}

std::string csv_line(const std::vector<std::string>& row) {
  std::string line;
  for (size_t c = 0; c < row.size(); ++c) {
    if (c) line += ',';
    if (row[c].find_first_of(",\"\r\n") == std::string::npos) {
      line += row[c];
      continue;
    }
    line += '"';
    for (const char character : row[c]) line += character == '"' ? "\"\"" : std::string(1, character);
    line += '"';
  }
  return line + "\r\n";
}

std::string latex_text(const std::string& cell) {
  static const std::map<std::string, std::string> kSpecial = {{"&", "\\&"},
                                                              {"%", "\\%"},
                                                              {"$", "\\$"},
                                                              {"#", "\\#"},
                                                              {"_", "\\_"},
                                                              {"{", "\\{"},
                                                              {"}", "\\}"},
                                                              {"~", "\\textasciitilde{}"},
                                                              {"^", "\\textasciicircum{}"},
                                                              {"\\", "\\textbackslash{}"},
                                                              {"±", "$\\pm$"},
                                                              {"…", "\\dots{}"}};
  std::string text;
  for (size_t at = 0; at < cell.size();) {
    size_t end = at + 1;
    while (end < cell.size() && (cell[end] & 0xC0) == 0x80) ++end;
    const std::string character = cell.substr(at, end - at);
    const auto special = kSpecial.find(character);
    text += special == kSpecial.end() ? character : special->second;
    at = end;
  }
  return text;
}

std::string latex_line(const std::vector<std::string>& row, const Bold& bold = {}) {
  const std::size_t first = row.empty() ? std::string::npos : row[0].find_first_not_of(" \t\n");
  const bool argument = first != std::string::npos && (row[0][first] == '[' || row[0][first] == '*');
  std::string line = argument ? "{}" : "";  // else an argument of the \\ or \midrule before it
  for (size_t c = 0; c < row.size(); ++c) {
    const std::string cell = latex_text(row[c]);
    line += (c ? " & " : "") + (!bold.empty() && bold[c] ? "\\textbf{" + cell + "}" : cell);
  }
  return line + " \\\\\n";
}

}  // namespace

std::string format_table(const Table& table, TableFormat format) {
  for (const auto& row : table.rows) {
    if (row.size() != table.header.size()) {
      throw ShapeError(c10::str("format_table: a row has ", row.size(), " cells, the header ", table.header.size()));
    }
  }
  const std::vector<Column> columns = measured(table);
  std::string text;
  std::vector<Bold> bold(table.rows.size(), Bold(table.header.size()));
  for (const auto& [row, column] : table.best) bold.at(row).at(column) = true;
  switch (format) {
    case TableFormat::kTerminal:
    case TableFormat::kBoldTerminal: {
      const bool marks = format == TableFormat::kBoldTerminal;
      text = terminal_line(table.header, columns);
      std::vector<std::string> rule;
      for (const Column& column : columns) rule.emplace_back(column.width, '-');
      text += terminal_line(rule, columns);
      for (size_t r = 0; r < table.rows.size(); ++r) {
        text += terminal_line(table.rows[r], columns, marks ? bold[r] : Bold());
      }
      return text;
    }
    case TableFormat::kMarkdown: {
      text = markdown_line(table.header);
      std::vector<std::string> rule;
      for (const Column& column : columns) rule.push_back(std::string(3, '-') + (column.right ? ":" : ""));
      text += markdown_line(rule);
      for (size_t r = 0; r < table.rows.size(); ++r) text += markdown_line(table.rows[r], bold[r]);
      return text;
    }
    case TableFormat::kCsv:
      text = csv_line(table.header);
      for (const auto& row : table.rows) text += csv_line(row);
      return text;
    case TableFormat::kLatex:
      text = "\\begin{tabular}{";
      for (const Column& column : columns) text += column.right ? 'r' : 'l';
      text += "}\n\\toprule\n" + latex_line(table.header) + "\\midrule\n";
      for (size_t r = 0; r < table.rows.size(); ++r) text += latex_line(table.rows[r], bold[r]);
      return text + "\\bottomrule\n\\end{tabular}\n";
  }
  return text;
}

std::string fixed(double value, int digits) {
  char text[400];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", std::min(digits, 60), value);
  return text;
}

int digits_for(const std::vector<double>& values, int least) {
  constexpr int kFigures = 3, kMost = 6;
  int digits = least;
  for (const double value : values) {
    if (value == 0 || !std::isfinite(value)) continue;
    digits = std::max(digits, kFigures - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)))));
  }
  return std::min(digits, std::max(least, kMost));
}

}  // namespace sextant::report
