// Progress on the terminal, if there is one.
#pragma once

#include <memory>

#include "sextant/runtime/progress.h"

namespace sextant::cli {

/// On stderr: a bar on a terminal, plain lines otherwise, notes only when `quiet`.
std::unique_ptr<Progress> terminal_progress(bool quiet);

}  // namespace sextant::cli
