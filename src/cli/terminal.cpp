#include "terminal.h"

#include <unistd.h>

#include <iostream>

namespace sextant::cli {

std::unique_ptr<Progress> terminal_progress(bool quiet) {
  if (quiet) return make_progress(ProgressStyle::kQuiet, std::cerr);
  return make_progress(isatty(STDERR_FILENO) ? ProgressStyle::kBar : ProgressStyle::kLines, std::cerr);
}

}  // namespace sextant::cli
