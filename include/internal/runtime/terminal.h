// The terminal that a program writes to.
#pragma once

#include <functional>
#include <memory>
#include <ostream>

#include "sextant/runtime/progress.h"

namespace sextant {

/// Columns of the terminal behind a file descriptor, as they are at this moment; COLUMNS, else 80, of one that does not
/// tell. 0 where it is no terminal.
int terminal_columns(int descriptor);

/// COLUMNS of the environment; 0 where it is no number above 0.
int columns_of_environment();

/// The bar of make_progress(), on one line of fewer than columns() columns, which is asked whenever it is drawn; 0 is
/// any number.
std::unique_ptr<Progress> make_bar(std::ostream& out, Clock clock, std::function<int()> columns);

}  // namespace sextant
