// Folders of runs that came to nothing.
#include "cli/program.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

TEST(ARefusedRun, TakesItsEmptyFoldersAway) {
  const TemporaryFolder folder;
  const std::string nothing = folder / "nothing";
  for (const std::string out : {"made/here", "made/here/"}) {
    EXPECT_EQ(sextant({"sample", "--model", nothing, "--out", folder / out}).exit_code, 1);
    EXPECT_FALSE(fs::exists(folder / "made")) << out;
  }
  EXPECT_EQ(sextant({"calibrate", "--classifier", nothing, "--data", bundled("mnist-classifier"), "--fit",
                     "temperature", "--out", folder / "made", "--save", folder / "saved/here"})
                .exit_code,
            1);
  EXPECT_FALSE(fs::exists(folder / "made"));
  EXPECT_FALSE(fs::exists(folder / "saved"));
}

TEST(ARefusedRun, LeavesFoldersThatWereThereOrHoldSomething) {
  const TemporaryFolder folder;
  const std::string nothing = folder / "nothing";
  fs::create_directories(folder / "there");
  EXPECT_EQ(sextant({"sample", "--model", nothing, "--out", folder / "there"}).exit_code, 1);
  EXPECT_TRUE(fs::is_empty(folder / "there"));
  EXPECT_EQ(sextant({"sample", "--model", nothing, "--out", folder / "there/below"}).exit_code, 1);
  EXPECT_TRUE(fs::is_empty(folder / "there"));
  ASSERT_EQ(sextant(small_run(folder / "drawn")).exit_code, 0);
  EXPECT_NE(sextant(small_run(folder / "drawn", {"--seed", "3"})).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder / "drawn/samples.npz"));
}

}  // namespace
}  // namespace sextant::cli::testing
