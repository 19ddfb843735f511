#include "internal/commands/format.h"

namespace sextant::commands {

Option format_option(Format* format, bool latex) {
  Words<Format> words = {
      {"table", Format::kTable}, {"md", Format::kMarkdown}, {"csv", Format::kCsv}, {"json", Format::kJson}};
  if (latex) words.emplace_back("latex", Format::kLatex);
  return choice("--format", format, words, "What is printed");
}

report::TableFormat table_format(Format format) {
  switch (format) {
    case Format::kMarkdown:
      return report::TableFormat::kMarkdown;
    case Format::kCsv:
      return report::TableFormat::kCsv;
    case Format::kLatex:
      return report::TableFormat::kLatex;
    default:
      return report::TableFormat::kTerminal;
  }
}

report::Table plain_table(const std::vector<std::string>& header, const nlohmann::json& rows) {
  report::Table table{header, {}};
  for (const nlohmann::json& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& name : header) {
      const nlohmann::json value = row.value(name, nlohmann::json());
      cells.push_back(value.is_null()           ? ""
                      : value.is_string()       ? value.get<std::string>()
                      : value.is_number_float() ? shortest(value.get<double>())
                                                : value.dump());
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace sextant::commands
