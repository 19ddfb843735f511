// What `sextant help` prints and writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sextant::cli {

/// The commands, in lines of so many columns.
std::string overview(std::size_t columns);

/// The page that the words after "help" ask for: the overview, COMMAND, --markdown, --man [COMMAND], --completion
/// SHELL. What --help prints, too, has lines of so many columns. UsageError for others.
std::string help_page(const std::vector<std::string>& words, std::size_t columns);

/// Man pages and completions as an installation has them below its share folder: man/man1, bash-completion/completions,
/// zsh/vendor-completions, fish/vendor_completions.d. Error where they cannot be written.
void write_pages(const std::filesystem::path& share);

}  // namespace sextant::cli
