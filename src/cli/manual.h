// Man pages, made from the option tables.
#pragma once

#include <string>

#include "command.h"

namespace sextant::cli {

/// sextant(1), in roff: the commands.
std::string manual_page();

/// sextant-NAME(1), in roff: a command and its settings.
std::string manual_page(const Command& command);

}  // namespace sextant::cli
