// What README.md and docs/ repeat of the tree is what the tree has.
#include <algorithm>
#include <filesystem>
#include <set>

#include "command.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::cli {
namespace {

namespace fs = std::filesystem;
using sextant::testing::source_dir;

std::vector<std::string> lines_of(const fs::path& file) { return split(read_file(file), '\n'); }

/// README.md and the pages of docs/.
std::vector<fs::path> documents() {
  std::vector<fs::path> pages = {source_dir() / "README.md", source_dir() / "CHANGELOG.md",
                                 source_dir() / "CONTRIBUTING.md"};
  for (const auto& entry : fs::directory_iterator(source_dir() / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  return pages;
}

/// The modules that docs/architecture.md lists: the first cells, `name`, of the table under "## Modules".
std::vector<std::string> listed_modules() {
  std::vector<std::string> modules;
  bool here = false;
  for (const std::string& line : lines_of(source_dir() / "docs/architecture.md")) {
    if (line.starts_with("## ")) here = line == "## Modules";
    if (here && line.starts_with("| `")) modules.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return modules;
}

TEST(Readme, ShowsTheProgramThatTheInstallTestRuns) {
  const std::string page = read_file(source_dir() / "README.md");
  const std::string program = read_file(source_dir() / "tests/install/consumer/adm.cpp");
  EXPECT_NE(page.find("```cpp\n" + program + "```\n"), std::string::npos)
      << "copy tests/install/consumer/adm.cpp into README.md";
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
    if (page.filename() == "cli.md") continue;  // generated: all of it is tables
    for (const std::string& line : lines_of(page)) {
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      const bool row = line.starts_with("|");  // of a table: it cannot be broken
      EXPECT_TRUE(row || columns <= 120) << page.filename() << ": " << line;
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
}  // namespace sextant::cli
