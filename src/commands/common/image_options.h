// The settings that say how images are read, the same for every command that reads them.
#pragma once

#include "internal/runtime/options.h"
#include "sextant/data/images.h"

namespace sextant::commands {

/// --image-size, --image-crop, --skip-bad and --cifar100-labels.
std::vector<Option> image_options(int64_t* size, int64_t* crop, bool* skip_bad, data::Cifar100Labels* cifar100);

}  // namespace sextant::commands
