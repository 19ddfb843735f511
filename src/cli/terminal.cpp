#include "terminal.h"

#include <unistd.h>

#include <iostream>

namespace sextant::cli {

std::unique_ptr<Progress> terminal_progress(bool quiet) {
  const ProgressStyle style = quiet                   ? ProgressStyle::kQuiet
                              : isatty(STDERR_FILENO) ? ProgressStyle::kBar
                                                      : ProgressStyle::kLines;
  return make_progress(style, std::cerr);
}

}  // namespace sextant::cli
