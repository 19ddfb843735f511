// What README.md and docs/ repeat of the tree is what the tree has.
#include <algorithm>
#include <filesystem>
#include <set>

#include "documents/documents.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::source_dir;

/// The modules that docs/architecture.md lists: the first cells, `src/name/`, of the table under "## Modules".
std::vector<std::string> listed_modules() {
  std::vector<std::string> modules;
  bool here = false;
  for (const std::string& line : lines_of(source_dir() / "docs/architecture.md")) {
    if (line.starts_with("## ")) here = line == "## Modules";
    if (here && line.starts_with("| `src/")) modules.push_back(line.substr(7, line.find('/', 7) - 7));
  }
  return modules;
}

TEST(Documents, ShowProgramsThatTheInstallTestBuilds) {
  std::string programs;
  for (const char* program : {"adm.cpp", "edm.cpp", "latent.cpp"}) {
    programs += read_file(source_dir() / "tests/install/consumer" / program);
  }
  int64_t shown = 0;
  for (const fs::path& page : documents()) {
    for (const CodeBlock& block : code_of(page)) {
      if (block.language != "cpp") continue;
      EXPECT_NE(programs.find(block.text), std::string::npos) << page << " shows what no program there has:\n"
                                                              << block.text;
      ++shown;
    }
  }
  EXPECT_GE(shown, 2);
}

TEST(Consumers, AreShort) {
  for (const char* program : {"adm.cpp", "edm.cpp", "latent.cpp"}) {
    const std::string text = read_file(source_dir() / "tests/install/consumer" / program);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 25) << program;
  }
}

TEST(Architecture, ListsTheModulesInTheBuildsOrder) {
  std::vector<std::string> listed = listed_modules();
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(source_dir() / "src")) {
    if (fs::exists(entry.path() / "CMakeLists.txt")) folders.insert(entry.path().filename().string());
  }
  EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()), folders);

  const std::vector<std::string> built = split(SEXTANT_MODULES, ',');
  std::erase_if(listed, [&](const auto& name) { return std::find(built.begin(), built.end(), name) == built.end(); });
  EXPECT_EQ(listed, built);
}

TEST(Documents, ReadWellAt120Columns) {
  for (const fs::path& page : documents()) {
    if (page.filename() == "cli.md" || page.parent_path() == source_dir() / "docs/results") continue;  // all tables
    for (const std::string& line : lines_of(page)) {
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      const bool row = line.starts_with("|");  // of a table: it cannot be broken
      EXPECT_TRUE(row || columns <= 120) << page << ": " << line;
    }
  }
}

TEST(Documents, NameHeadersThatThereAre) {
  for (const fs::path& page : documents()) {
    const std::string text = read_file(page);
    for (size_t at = text.find("include/"); at != std::string::npos; at = text.find("include/", at + 1)) {
      const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_/.", at);
      std::string path = text.substr(at, end - at);
      while (path.ends_with('.')) path.pop_back();
      EXPECT_TRUE(fs::exists(source_dir() / path)) << page.filename() << ": " << path;
    }
  }
}

}  // namespace
}  // namespace sextant::cli::testing
