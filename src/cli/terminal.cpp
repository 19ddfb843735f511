#include "terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "internal/runtime/option_rows.h"
#include "internal/runtime/terminal.h"
#include "sextant/runtime/error.h"

namespace sextant::cli {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Whether it obeys the sequences that clear a line and make letters bold.
bool obeys(int descriptor) { return isatty(descriptor) != 0 && variable("TERM") != "dumb"; }

}  // namespace

std::unique_ptr<Progress> terminal_progress(bool quiet) {
  const ProgressStyle style = quiet                  ? ProgressStyle::kQuiet
                              : obeys(STDERR_FILENO) ? ProgressStyle::kBar
                                                     : ProgressStyle::kLines;
  return make_progress(style, std::cerr);
}

bool bold_letters() { return obeys(STDOUT_FILENO) && variable("NO_COLOR").empty(); }

std::size_t page_columns() {
  constexpr std::size_t kNarrowest = 40;
  const int told = columns_of_environment();
  const int columns = told > 0 ? told : terminal_columns(STDOUT_FILENO);
  return columns == 0 ? kHelpColumns : std::clamp(static_cast<std::size_t>(columns), kNarrowest, kHelpColumns);
}

void print(const std::string& text) {
  errno = 0;
  std::cout << text << std::flush;
  if (std::cout) return;
  throw Error(std::string("cannot write all of the text to standard output: ") +
              (errno != 0 ? std::strerror(errno) : "it is closed") + "; free some space or send it elsewhere");
}

}  // namespace sextant::cli
