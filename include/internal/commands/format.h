// What a command prints its numbers as.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/report/table.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

enum class Format { kTable, kMarkdown, kCsv, kJson, kLatex };

/// The row of --format; of a command that has `latex`, with it.
Option format_option(Format* format, bool latex = false);

/// The format of the tables in it.
report::TableFormat table_format(Format format);

/// The objects of `rows` as a table for programs: under each of `header` its value, numbers whole, nothing where there
/// is none.
report::Table plain_table(const std::vector<std::string>& header, const nlohmann::json& rows);

}  // namespace sextant::commands
