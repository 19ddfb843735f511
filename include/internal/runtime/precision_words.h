// The words of precisions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sextant/runtime/device.h"

namespace sextant {

/// "fp32", "tf32", "bf16", "fp16", and "fp64", which no command offers.
const std::vector<std::pair<std::string, Precision>>& precision_words();

}  // namespace sextant
