// The terminal, if there is one, and standard output.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "sextant/runtime/progress.h"

namespace sextant::cli {

/// On stderr: a bar on a terminal that can redraw a line (TERM=dumb cannot), plain lines otherwise, notes only when
/// `quiet`.
std::unique_ptr<Progress> terminal_progress(bool quiet);

/// Whether stdout takes bold letters: a terminal that is not dumb, while NO_COLOR is unset or empty.
bool bold_letters();

/// Columns for a page of help: COLUMNS, else those of the terminal on stdout, at least 40, at most and without a
/// terminal kHelpColumns.
std::size_t page_columns();

/// Writes `text` to stdout. Error where it does not arrive, on a full disk for one.
void print(const std::string& text);

}  // namespace sextant::cli
