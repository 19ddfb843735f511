// The sources keep the rules of CONTRIBUTING.md and docs/architecture.md that can be counted.
#include <filesystem>
#include <map>
#include <set>

#include "documents/documents.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::source_dir;

/// The C++ and CUDA files of `folder` and below, relative to the tree.
std::vector<fs::path> sources_of(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(source_dir() / folder)) {
    const std::string kind = entry.path().extension().string();
    if (kind == ".h" || kind == ".cpp" || kind == ".cu") files.push_back(fs::relative(entry.path(), source_dir()));
  }
  return files;
}

TEST(Sources, HaveAtMost300Lines) {
  for (const char* folder : {"src", "include"}) {
    for (const fs::path& file : sources_of(folder)) {
      // What follows the last line's end is no line.
      EXPECT_LE(lines_of(source_dir() / file).size(), 301U) << file;
    }
  }
}

TEST(Sources, StandAtMost25InAFolder) {
  std::map<fs::path, int> count;
  for (const fs::path& file : sources_of("src")) ++count[file.parent_path()];
  for (const auto& [folder, files] : count) EXPECT_LE(files, 25) << folder;
}

TEST(Sources, NameFlagsInCommandsAndCliAlone) {
  for (const fs::path& file : sources_of("src")) {
    const std::string path = file.string();
    if (path.starts_with("src/commands/") || path.starts_with("src/cli/")) continue;
    for (const std::string& line : lines_of(source_dir() / file)) {
      EXPECT_EQ(line.find("\"--"), std::string::npos) << path << ": " << line;
    }
  }
}

TEST(Commands, IncludeTheirOwnRoomAndWhatIsShared) {
  std::set<std::string> rooms;
  for (const auto& entry : fs::directory_iterator(source_dir() / "src/commands")) {
    if (entry.is_directory()) rooms.insert(entry.path().filename().string());
  }
  for (const fs::path& file : sources_of("src/commands")) {
    const std::string own = file.parent_path().filename().string();
    std::set<std::string> allowed = {own, "common"};
    if (own != "common") allowed.insert("drawing");
    for (const std::string& line : lines_of(source_dir() / file)) {
      if (!line.starts_with("#include \"")) continue;
      const std::string room = line.substr(10, line.find('/') - 10);
      EXPECT_TRUE(rooms.count(room) == 0 || allowed.count(room) == 1) << file << ": " << line;
    }
  }
}

}  // namespace
}  // namespace sextant::cli::testing
