// docs/methods.md says of each score what the table of terms says.
#include <fstream>
#include <sstream>

#include "internal/guidance/score_terms.h"
#include "internal/runtime/text.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

std::string row_of(const ScoreTerm& term) {
  std::string flags = "`--guidance " + term.word;
  for (const std::string& setting : term.settings) flags += " --" + setting;
  return "| " + term.name + " | " + replaced(term.equation, "||", "\\|\\|") + " | " + flags + "` | " + term.source +
         " | " + term.cost + " |";
}

TEST(MethodsPage, HasTheRowOfEveryScore) {
  std::ostringstream page;
  page << std::ifstream(sextant::testing::source_dir() / "docs/methods.md").rdbuf();
  for (const ScoreTerm& term : score_terms()) {
    EXPECT_NE(page.str().find("\n" + row_of(term) + "\n"), std::string::npos) << "docs/methods.md needs\n"
                                                                              << row_of(term);
  }
}

}  // namespace
}  // namespace sextant::guidance
