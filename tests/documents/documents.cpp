#include "documents/documents.h"

#include <algorithm>
#include <regex>

#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::cli::testing {

namespace fs = std::filesystem;
using sextant::testing::source_dir;

std::vector<std::string> lines_of(const fs::path& file) { return split(read_file(file), '\n'); }

std::vector<fs::path> documents() {
  std::vector<fs::path> pages = {source_dir() / "README.md", source_dir() / "CHANGELOG.md",
                                 source_dir() / "CONTRIBUTING.md", source_dir() / "models/README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(source_dir() / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

namespace {

/// Calls `code` with each line of a block and the language of its fence, `text` with each other line.
template <class Code, class Text>
void read_page(const fs::path& page, Code code, Text text) {
  bool fenced = false;
  std::string language;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("```")) {
      fenced = !fenced;
      language = line.substr(3);
      text("");
    } else if (fenced) {
      code(line, language);
    } else if (line.starts_with("    ")) {
      code(line.substr(4), "");
    } else {
      text(line);
    }
  }
}

}  // namespace

std::vector<CodeBlock> code_of(const fs::path& page) {
  std::vector<CodeBlock> blocks;
  bool open = false;
  read_page(
      page,
      [&](const std::string& line, const std::string& language) {
        if (!open) blocks.push_back({language, ""});
        open = true;
        blocks.back().text += line + "\n";
      },
      [&](const std::string&) { open = false; });
  return blocks;
}

std::string prose_of(const fs::path& page) {
  std::string prose;
  read_page(
      page, [](const std::string&, const std::string&) {}, [&](const std::string& line) { prose += line + "\n"; });
  return std::regex_replace(prose, std::regex("`[^`]*`"), "`");
}

std::vector<std::vector<std::string>> simple_commands(const std::string& code) {
  std::vector<std::vector<std::string>> commands(1);
  std::string word;
  bool in_word = false;
  const auto end_word = [&] {
    if (in_word && word != "...") commands.back().push_back(word);
    word.clear();
    in_word = false;
  };
  const auto end_command = [&] {
    end_word();
    if (!commands.back().empty()) commands.emplace_back();
  };
  char quote = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '$' && quote != '\'') {
      word += '1';
      in_word = true;
      while (i + 1 < code.size() && (std::isalnum(static_cast<unsigned char>(code[i + 1])) || code[i + 1] == '_')) ++i;
    } else if (quote != 0) {
      c == quote ? quote = 0 : static_cast<char>(word += c, 0);
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && i + 1 < code.size()) {
      if (code[++i] != '\n') word += code[i], in_word = true;
    } else if (c == '#' && !in_word) {
      i = std::min(code.find('\n', i), code.size()) - 1;
    } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')') {
      end_command();
    } else if (c == ' ') {
      end_word();
    } else {
      word += c;
      in_word = true;
    }
  }
  end_command();
  commands.pop_back();
  return commands;
}

}  // namespace sextant::cli::testing
