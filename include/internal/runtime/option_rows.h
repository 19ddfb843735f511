// A setting as every page of help shows it: --help, the reference, man pages, completion.
#pragma once

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

}  // namespace sextant
