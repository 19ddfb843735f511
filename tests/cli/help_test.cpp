#include "cli/program.h"
#include "command.h"
#include "internal/runtime/files.h"
#include "reference.h"

namespace sextant::cli::testing {
namespace {

TEST(Help, IsThereForEveryCommand) {
  const Outcome overview = sextant({"--help"});
  EXPECT_EQ(overview.exit_code, 0);
  for (const Command& command : commands()) {
    EXPECT_NE(overview.out.find("  " + command.name + " "), std::string::npos);
    const Outcome page = sextant({command.name, "--help"});
    EXPECT_EQ(page.exit_code, 0);
    for (const std::string& flag : command.open().table.flags())
      EXPECT_NE(page.out.find(flag), std::string::npos) << flag;
    EXPECT_EQ(sextant({"help", command.name}).out, page.out);
  }
}

TEST(Help, OfHelpIsThatOfAll) { EXPECT_EQ(sextant({"help", "--help"}).out, sextant({"--help"}).out); }

TEST(Help, IsShownWithoutACommand) {
  const Outcome outcome = sextant({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("Usage: sextant COMMAND"), std::string::npos);
}

TEST(Version, IsTold) { EXPECT_EQ(sextant({"--version"}).out.rfind("sextant 0.", 0), 0); }

TEST(ReferencePage, IsUpToDate) {
  const std::string page = read_file(sextant::testing::source_dir() / "docs/cli.md");
  EXPECT_TRUE(page == reference_page()) << "run: sextant help --markdown > docs/cli.md";
  EXPECT_EQ(sextant({"help", "--markdown"}).out, page);
}

}  // namespace
}  // namespace sextant::cli::testing
