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

TEST(JoinedPrompts, AreSplitIntoTheSameTexts) {
  for (const Texts& texts : {Texts{}, Texts{"a fox"}, Texts{"a fox", "a cat"}, Texts{"a red fox; at dawn"},
                             Texts{"a red fox; at dawn", "a cat"}}) {
    EXPECT_EQ(split_prompts(joined_prompts(texts)), texts);
  }
}

TEST(ResolvedPrompts, AreTheTextsOfAFile) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "one") << " a red fox; at dawn";
  std::ofstream(folder / "two") << "a red fox; at dawn\r\n\n  a cat\n";
  const auto targets = [](const Texts& given) { return resolved_prompts({given, {}, false, ""}).targets; };
  EXPECT_EQ(targets({folder / "one"}), (Texts{"a red fox; at dawn"}));
  EXPECT_EQ(targets({folder / "two"}), (Texts{"a red fox; at dawn", "a cat"}));
  for (const Texts& same : {Texts{}, Texts{"a fox"}, Texts{"a fox", "a cat"}}) EXPECT_EQ(targets(same), same);
}

TEST(ResolvedPrompts, NameAFileThatIsMissingOrEmpty) {
  const sextant::testing::TemporaryFolder folder;
  std::ofstream(folder / "empty") << "\n \n";
  EXPECT_THROW(resolved_prompts({{folder / "empty"}, {}, false, ""}), UsageError);
  EXPECT_EQ(testing::message_of<UsageError>([&] {
              resolved_prompts({{}, {"nowhere/texts.txt"}, false, ""});
            }),
            "--contrast: there is no file nowhere/texts.txt");
}

}  // namespace
}  // namespace sextant::commands
