// What a command prints its numbers as.
#pragma once

#include "internal/report/table.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

enum class Format { kTable, kMarkdown, kCsv, kJson };

/// The row of --format.
Option format_option(Format* format);

/// The format of the tables in it.
report::TableFormat table_format(Format format);

}  // namespace sextant::commands
