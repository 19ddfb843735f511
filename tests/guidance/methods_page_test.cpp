// docs/methods.md says of each score what the table of terms says.
#include <fstream>
#include <sstream>

#include "internal/runtime/text.h"
#include "sextant/guidance/score.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

std::string row_of(const ScoreTerm& term) {
  std::string flags = std::string("`--guidance ") + term.word;
  for (const std::string setting : term.settings) flags += " --" + setting;
  return std::string("| ") + term.name + " | " + replaced(term.equation, "||", "\\|\\|") + " | " + flags + "` | " +
         term.source + " | " + term.cost + " |";
}

TEST(MethodsPage, HasTheRowOfEveryScore) {
  std::ostringstream page;
  page << std::ifstream(sextant::testing::source_dir() / "docs/methods.md").rdbuf();
  for (const ScoreTerm& term : kScoreTerms) {
    EXPECT_NE(page.str().find("\n" + row_of(term) + "\n"), std::string::npos) << "docs/methods.md needs\n"
                                                                              << row_of(term);
  }
}

}  // namespace
}  // namespace sextant::guidance
