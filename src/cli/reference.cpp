#include "reference.h"

#include "arguments.h"
#include "by_hand.h"
#include "command.h"
#include "internal/runtime/text.h"

namespace sextant::cli {

std::string reference_page() {
  constexpr std::size_t kColumns = 119;
  std::string page =
      "# The command line\n\n"
      "Made by `sextant help --markdown`; a test compares it with the option tables.\n\n" +
      wrapped(std::string("Every flag is also a key of the recipe, without the dashes, in the table named beside the "
                          "heading. Every command takes `--recipe FILE` (TOML, or the `run.json` of an earlier run; "
                          "flags override it) and `--help`. ") +
                  kGivenTwice +
                  " An empty text (`--out \"\"`, `--out=`) is refused but where a row says what it means.",
              kColumns, 0) +
      "\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by Ctrl-C and SIGTERM.\n";
  for (const Command& command : commands()) {
    page.append("\n## sextant ").append(command.name);
    if (!command.argument.empty()) page.append(" ").append(command.argument);
    page.append("\n\n").append(command.summary).append(".\n").append(command.open().table.markdown());
    if (command.shared) page.append("\n### ").append(kByHandTitle).append("\n\n| flag | meaning |\n| --- | --- |\n");
    for (const ByHandFlag& flag : by_hand_flags(command)) {
      page += std::string("| `") + flag.flag + " " + flag.value + "` | " + flag.about + " |\n";
    }
  }
  return page;
}

}  // namespace sextant::cli
