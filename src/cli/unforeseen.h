// What the user is told of an exception that is none of sextant's own.
#pragma once

#include <exception>
#include <string>

namespace sextant::cli {

/// One line, without the stack frames that libtorch's errors carry: out of memory, what the system says of a file, or
/// else a request to report it.
std::string unforeseen(const std::exception& error);

}  // namespace sextant::cli
