// Texts as settings.
#pragma once

#include <string>
#include <vector>

#include "sextant/models/classifier.h"

namespace sextant::commands {

/// `prompts` with the texts of a file in place of its name: settings that hold the texts themselves repeat a run
/// without its files and tell a changed one. UsageError for a name that looks like a file and is none, and for a file
/// without a text.
models::Prompts resolved_prompts(models::Prompts prompts);

/// The texts of one value: its lines if it has several, else what is between semicolons. White space around a text
/// and empty ones are dropped.
std::vector<std::string> split_prompts(const std::string& value);
/// The value whose texts these are.
std::string joined_prompts(const std::vector<std::string>& texts);

}  // namespace sextant::commands
