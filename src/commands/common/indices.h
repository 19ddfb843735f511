// Lists of whole numbers as settings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sextant::commands {

/// Numbers and ranges, from 0 up: "3", "0-9" or "0,3,7-9", in their order. UsageError that names `flag`, what a number
/// is ("class") and what else `flag` takes ("random, or ").
std::vector<int64_t> parse_indices(const std::string& text, const std::string& flag, const std::string& what,
                                   const std::string& other = "");

}  // namespace sextant::commands
