// A setting as every page of help shows it: --help, the reference, man pages, completion.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"

namespace sextant {

struct OptionRow {
  std::string flag;                ///< "--alpha"
  std::string value;               ///< what stands for the value: "PATH", "N", "X", "LO,HI"; "" of a switch
  std::string about;               ///< what it does, what it accepts, the default: one line
  std::vector<std::string> words;  ///< all that it accepts, where these are words
  bool sum = false;                ///< several words may be joined by '+'
};

/// `defaults` are the values of the option's group: {"alpha": 0.1}.
OptionRow row_of(const Option& option, const nlohmann::json& defaults);

/// The widest that a page of --help is.
inline constexpr std::size_t kHelpColumns = 110;

/// A flag with its value and what it does, as --help prints them: two columns, one below the other where `columns` are
/// few. `columns` is at least 40.
std::string help_row(const std::string& flag, const std::string& about, std::size_t columns);

/// The settings as --help prints them, in lines of so many columns, at least 40. `defaults` are the values of all
/// groups:
/// {"group": {"key": value}}.
std::string help_of(const std::vector<OptionGroup>& groups, const nlohmann::json& defaults, std::size_t columns);

}  // namespace sextant
