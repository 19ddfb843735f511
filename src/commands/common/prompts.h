// The texts of --prompts and --contrast.
#pragma once

#include <string>
#include <vector>

namespace sextant::commands {

/// `value` of `flag`, or where it names a file, what is in it: settings that hold the texts themselves repeat a run
/// without its files and tell a changed one. UsageError for a value that looks like a file and is none, and for a file
/// without a text.
std::string resolved_prompts(const std::string& flag, const std::string& value);

/// The texts of such a value: its lines if it has several, else what is between semicolons. White space around a text
/// and empty ones are dropped.
std::vector<std::string> split_prompts(const std::string& value);

}  // namespace sextant::commands
