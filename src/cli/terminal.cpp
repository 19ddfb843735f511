#include "terminal.h"

#include <unistd.h>

#include <iostream>

#include "sextant/report/drawing.h"

namespace sextant::cli {

std::unique_ptr<Progress> terminal_progress(bool quiet) {
  const ProgressStyle style = quiet                   ? ProgressStyle::kQuiet
                              : isatty(STDERR_FILENO) ? ProgressStyle::kBar
                                                      : ProgressStyle::kLines;
  auto progress = make_progress(style, std::cerr);
  if (!report::can_draw()) progress->note("built without cairo: no charts");
  return progress;
}

}  // namespace sextant::cli
