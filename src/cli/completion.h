// Completion of commands, flags and their words in shells, made from the option tables.
#pragma once

#include <string>

namespace sextant::cli {

/// A script for "bash", "zsh" or "fish", to be sourced or to be installed where the shell looks for it. UsageError for
/// another shell.
std::string completion(const std::string& shell);

}  // namespace sextant::cli
