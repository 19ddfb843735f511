// From words on the command line to settings in a table.
#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace sextant::cli {

struct Arguments {
  bool help = false;
  std::string argument;  ///< the command's FILE or RECIPE
};

/// Reads the words after the command's name into its table: the recipe first, so that flags override it. UsageError for
/// an unknown flag or key, a value that is missing or unfit, or a missing argument.
Arguments parse(Command& command, const std::vector<std::string>& words);

/// The help page of one command.
std::string help(Command& command);

}  // namespace sextant::cli
