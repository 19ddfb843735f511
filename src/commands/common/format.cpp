#include "internal/commands/format.h"

namespace sextant::commands {

Option format_option(Format* format) {
  return choice("--format", format,
                {{"table", Format::kTable}, {"md", Format::kMarkdown}, {"csv", Format::kCsv}, {"json", Format::kJson}},
                "What is printed");
}

report::TableFormat table_format(Format format) {
  switch (format) {
    case Format::kMarkdown:
      return report::TableFormat::kMarkdown;
    case Format::kCsv:
      return report::TableFormat::kCsv;
    default:
      return report::TableFormat::kTerminal;
  }
}

}  // namespace sextant::commands
