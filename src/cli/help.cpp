#include "help.h"

#include "arguments.h"
#include "command.h"
#include "completion.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "manual.h"
#include "reference.h"
#include "sextant/runtime/error.h"

namespace sextant::cli {

namespace fs = std::filesystem;

std::string overview(std::size_t columns) {
  constexpr std::size_t kIndent = 14;
  std::string text = wrapped("sextant steers diffusion models with off-the-shelf classifiers.", columns, 0) + "\n\n" +
                     "Usage: sextant COMMAND [--flag VALUE ...]\n\n";
  for (const Command& command : commands()) {
    text += "  " + command.name + std::string(kIndent - 2 - command.name.size(), ' ') +
            wrapped(command.summary, columns - kIndent, kIndent) + "\n";
  }
  return text + "\n" +
         wrapped(
             "'sextant COMMAND --help' lists the settings of a command; 'sextant help --man [COMMAND]' is its man "
             "page, 'sextant help --completion SHELL' completes them in bash, zsh or fish; --version tells the "
             "version.",
             columns, 0) +
         "\n";
}

std::string help_page(const std::vector<std::string>& words, std::size_t columns) {
  if (words.empty()) return overview(columns);
  const bool two = words[0] == "--man" || words[0] == "--completion";
  const std::size_t most = two ? 2 : 1;
  if (words.size() > most) {
    throw UsageError("unexpected '" + words[most] + "': help takes one COMMAND, --markdown, --man [COMMAND] or " +
                     "--completion SHELL");
  }
  if (words[0] == "--markdown") return reference_page();
  if (words[0] == "--man") return words.size() == 1 ? manual_page() : manual_page(command_named(words[1]));
  if (words[0] == "--completion") return completion(words.size() == 1 ? "" : words[1]);
  return help(command_named(words[0]), columns);
}

void write_pages(const fs::path& share) {
  const auto write = [&](const fs::path& name, const std::string& text) {
    fs::create_directories((share / name).parent_path());
    write_atomically(share / name, text);
  };
  write("man/man1/sextant.1", manual_page());
  for (const Command& command : commands()) write("man/man1/sextant-" + command.name + ".1", manual_page(command));
  write("bash-completion/completions/sextant", completion("bash"));
  write("zsh/vendor-completions/_sextant", completion("zsh"));
  write("fish/vendor_completions.d/sextant.fish", completion("fish"));
}

}  // namespace sextant::cli
