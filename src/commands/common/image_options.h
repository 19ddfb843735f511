// The settings that say how images are read, the same for every command that reads them.
#pragma once

#include "internal/runtime/options.h"

namespace sextant::commands {

/// --image-size, --image-crop and --skip-bad.
std::vector<Option> image_options(int64_t* size, int64_t* crop, bool* skip_bad);

}  // namespace sextant::commands
