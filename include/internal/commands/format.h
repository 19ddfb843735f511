// What a command prints its numbers as.
#pragma once

#include "internal/report/table.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

enum class Format { kTable, kMarkdown, kCsv, kJson, kLatex };

/// The row of --format; of a command that has `latex`, with it.
Option format_option(Format* format, bool latex = false);

/// The format of the tables in it.
report::TableFormat table_format(Format format);

}  // namespace sextant::commands
