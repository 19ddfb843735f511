// From words on the command line to settings in a table.
#pragma once

#include <string>
#include <vector>

#include "by_hand.h"
#include "command.h"

namespace sextant::cli {

/// A command as it was asked for.
struct Arguments {
  bool help = false;
  std::string argument;  ///< the command's FILE or RECIPE
  ByHand by_hand = {};
};

/// Reads the words after the command's name into the invocation's table: the recipe first, so that flags override it.
/// UsageError for an unknown flag or key, a value that is missing or unfit, or a missing argument.
Arguments parse(const Command& command, Invocation& invocation, const std::vector<std::string>& words);

/// Reads a recipe into the invocation's table. UsageError for a setting that the command does not have.
void take_recipe(const Command& command, Invocation& invocation, const std::string& path);

/// What a flag that is given twice means, as help and the reference say it.
inline constexpr const char* kGivenTwice =
    "Where a flag is given twice the last one counts, unless it says that it may be given again.";

/// The help page of one command, in lines of so many columns.
std::string help(const Command& command, std::size_t columns);

}  // namespace sextant::cli
