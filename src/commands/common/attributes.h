// Attributes as settings.
#pragma once

#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// Answers [R, K] of 1 (yes), -1 (no) and 0 (not asked) to the attributes called `names`. `text` is "smiling=1,male=0",
/// for all images, or a CSV file whose first line names attributes and whose others hold 1, 0 or nothing, a line an
/// image. UsageError that names the attribute, the nearest name, and the line.
Tensor parse_attributes(const std::string& text, const std::vector<std::string>& names);

/// "1,0.5" for the attributes in `names`' order, or "male=2" for some, the others 1. "" is none. UsageError likewise.
std::vector<double> parse_attribute_weights(const std::string& text, const std::vector<std::string>& names);

}  // namespace sextant::commands
