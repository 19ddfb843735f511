// The documents of the tree, as the tests of what they say read them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sextant::cli::testing {

std::vector<std::string> lines_of(const std::filesystem::path& file);

/// README.md and its companions at the root, the pages of docs/ at any depth, the bundled models' page.
std::vector<std::filesystem::path> documents();

/// A block of code of a page, fenced or indented by four blanks.
struct CodeBlock {
  std::string language;  ///< of the fence; "" without
  std::string text;      ///< without the fence and the indent; lines end in \n
};
std::vector<CodeBlock> code_of(const std::filesystem::path& page);

/// A page without its code: neither blocks nor `spans`.
std::string prose_of(const std::filesystem::path& page);

/// The simple commands of shell code, each as words: lines joined at backslashes, comments left out, variables as 1,
/// what stands behind > and the dots of "..." left out.
std::vector<std::vector<std::string>> simple_commands(const std::string& code);

}  // namespace sextant::cli::testing
