// The texts of --prompts and --contrast.
#include "common/prompts.h"

#include <fstream>

#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::commands {
namespace {

using Texts = std::vector<std::string>;

TEST(SplitPrompts, AtSemicolonsOrLines) {
  EXPECT_EQ(split_prompts(""), Texts{});
  EXPECT_EQ(split_prompts("a red fox"), (Texts{"a red fox"}));
  EXPECT_EQ(split_prompts(" a red fox;; a cat, asleep ; "), (Texts{"a red fox", "a cat, asleep"}));
  EXPECT_EQ(split_prompts("a red fox; at dawn\r\n\n  a cat"), (Texts{"a red fox; at dawn", "a cat"}));
}

TEST(ResolvedPrompts, AreTheTextsOfAFile) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "one") << " a red fox; at dawn";
  std::ofstream(folder / "two") << "a red fox; at dawn\r\n\n  a cat\n";
  EXPECT_EQ(split_prompts(resolved_prompts("--prompts", folder / "one")), (Texts{"a red fox; at dawn"}));
  const std::string lines = resolved_prompts("--prompts", folder / "two");
  EXPECT_EQ(split_prompts(lines), (Texts{"a red fox; at dawn", "a cat"}));
  for (const std::string& same : {std::string(), std::string("a fox; a cat"), lines}) {
    EXPECT_EQ(resolved_prompts("--prompts", same), same);
  }
}

TEST(ResolvedPrompts, NameAFileThatIsMissingOrEmpty) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "empty") << "\n \n";
  EXPECT_THROW(resolved_prompts("--prompts", folder / "empty"), UsageError);
  EXPECT_EQ(testing::message_of<UsageError>([&] { resolved_prompts("--contrast", "nowhere/texts.txt"); }),
            "--contrast: there is no file nowhere/texts.txt");
}

}  // namespace
}  // namespace sextant::commands
