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

}  // namespace sextant::commands
