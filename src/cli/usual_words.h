// Words for settings that take any text, where some are known: for completion.
#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace sextant::cli {

/// What `flag` of `command` takes as a rule: devices, or the named architectures of the kind that it asks for. Empty
/// for other flags.
std::vector<std::string> usual_words(const std::string& flag, const Command& command);

}  // namespace sextant::cli
