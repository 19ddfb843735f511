#include <torch/version.h>

#include "sextant/runtime/device.h"

namespace sextant {

std::string version() { return SEXTANT_VERSION; }

std::string libtorch_version() { return TORCH_VERSION; }

}  // namespace sextant
