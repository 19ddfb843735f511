// The texts of --prompts and --contrast.
#include "run/prompts.h"

#include <fstream>

#include "sextant/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::run {
namespace {

using Texts = std::vector<std::string>;

TEST(ReadPrompts, SplitsAtSemicolons) {
  EXPECT_EQ(read_prompts("--prompts", "a red fox"), (Texts{"a red fox"}));
  EXPECT_EQ(read_prompts("--prompts", " a red fox;; a cat, asleep ; "), (Texts{"a red fox", "a cat, asleep"}));
}

TEST(ReadPrompts, TakesTheLinesOfAFile) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "texts") << "a red fox; at dawn\r\n\n  a cat\n";
  EXPECT_EQ(read_prompts("--prompts", folder / "texts"), (Texts{"a red fox; at dawn", "a cat"}));
}

TEST(ReadPrompts, NamesAFileThatIsMissingOrEmpty) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "empty") << "\n \n";
  EXPECT_THROW(read_prompts("--prompts", folder / "empty"), UsageError);
  EXPECT_EQ(testing::message_of<UsageError>([&] { read_prompts("--contrast", "nowhere/texts.txt"); }),
            "--contrast: there is no file nowhere/texts.txt");
}

}  // namespace
}  // namespace sextant::run
