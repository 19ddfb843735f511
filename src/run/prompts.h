// The texts of --prompts and --contrast.
#pragma once

#include <string>
#include <vector>

namespace sextant::run {

/// The texts that the value of `flag` stands for: the lines of a file of that name, else the texts between semicolons.
/// White space around a text and empty ones are dropped. UsageError for a value that looks like a file and is none, and
/// for a file without a text.
std::vector<std::string> read_prompts(const std::string& flag, const std::string& value);

}  // namespace sextant::run
