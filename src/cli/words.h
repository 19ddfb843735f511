// The words of a command line, before they are parsed: what CLI11 would take for something else.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sextant::cli {

/// What a flag takes.
enum class Takes {
  kNothing,      ///< a switch, which may be told --flag=true or --flag=false
  kText,         ///< one word that is not empty
  kTextOrEmpty,  ///< one word
};

/// The words, with "--flag=" as the two that it means: "--flag" and "". UsageError for a flag without its value, at the
/// end or before another of `flags`, for an empty text where none may be, and for a switch that is neither true nor
/// false. A flag that is not among `flags` is left to whoever parses.
std::vector<std::string> checked_words(const std::vector<std::string>& words,
                                       const std::map<std::string, Takes>& flags);

}  // namespace sextant::cli
