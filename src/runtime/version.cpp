#include "sextant/runtime/device.h"

namespace sextant {

std::string version() { return SEXTANT_VERSION; }

}  // namespace sextant
