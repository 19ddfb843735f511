// Links among the documents, and from them into the tree, lead somewhere: on a plain view of the repository, and so on
// the site, which is made of the same pages.
#include <cctype>
#include <regex>
#include <set>

#include "documents/documents.h"
#include "support/golden.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

/// What a heading is called in a link: small letters and digits, blanks as hyphens, other marks left out.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    } else if ((c & 0x80) != 0) {
      anchor += c;
    }
  }
  return anchor;
}

std::set<std::string> anchors_of(const fs::path& page) {
  std::set<std::string> anchors;
  for (const std::string& line : lines_of(page)) {
    const std::size_t text = line.find_first_not_of('#');
    if (line.starts_with("#") && text != std::string::npos && line[text] == ' ') {
      anchors.insert(anchor_of(line.substr(text + 1)));
    }
  }
  return anchors;
}

TEST(Anchors, AreThoseOfAPlainView) {
  EXPECT_EQ(anchor_of("What is supported, and how it was measured"), "what-is-supported-and-how-it-was-measured");
  EXPECT_EQ(anchor_of("Proposition 4.1 (Ma et al. 2023): calibration"), "proposition-41-ma-et-al-2023-calibration");
  EXPECT_EQ(anchor_of("The `run.json` of x_t"), "the-runjson-of-x_t");
}

TEST(DocumentLinks, LeadToFilesAndHeadingsThatThereAre) {
  const std::regex link(R"(\]\(([^)\s]+)\))");
  int64_t checked = 0;
  for (const fs::path& page : documents()) {
    const std::string prose = prose_of(page);
    for (std::sregex_iterator at(prose.begin(), prose.end(), link), end; at != end; ++at) {
      const std::string target = (*at)[1];
      if (target.find("://") != std::string::npos) continue;
      const std::size_t hash = target.find('#');
      const std::string path = target.substr(0, hash);
      const fs::path file = path.empty() ? page : page.parent_path() / path;
      EXPECT_TRUE(fs::exists(file)) << page << ": " << target;
      if (hash != std::string::npos && fs::exists(file)) {
        EXPECT_TRUE(anchors_of(file).contains(target.substr(hash + 1))) << page << ": no heading for " << target;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 80);
}

TEST(DocumentLinks, ReachEveryPageFromTheList) {
  const std::string list = prose_of(sextant::testing::source_dir() / "docs/README.md");
  for (const fs::path& page : documents()) {
    const std::string folder = page.parent_path().filename().string();
    if (folder != "docs" || page.filename() == "README.md") continue;
    EXPECT_NE(list.find("](" + page.filename().string() + ")"), std::string::npos) << "docs/README.md lacks " << page;
  }
}

}  // namespace
}  // namespace sextant::cli::testing
