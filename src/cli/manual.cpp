#include "manual.h"

#include "by_hand.h"
#include "internal/runtime/option_rows.h"
#include "sextant/runtime/device.h"

namespace sextant::cli {
namespace {

/// Text as roff prints it unchanged: a hyphen of roff is not the minus that a flag begins with.
std::string plain(const std::string& text) {
  std::string roff;
  for (const char letter : text) {
    if (roff.empty() && (letter == '.' || letter == '\'')) roff += "\\&";
    if (letter == '\\') {
      roff += "\\e";
    } else if (letter == '-') {
      roff += "\\-";
    } else {
      roff += letter;
    }
  }
  return roff;
}

std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string slanted(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

std::string heading(const std::string& name, const std::string& summary) {
  std::string capitals = name;
  for (char& letter : capitals) {
    if (letter >= 'a' && letter <= 'z') letter += 'A' - 'a';
  }
  return ".TH " + capitals + " 1 \"\" \"sextant " + std::string(version()) + "\"\n.SH NAME\n" + plain(name) + " \\- " +
         plain(summary) + "\n.SH SYNOPSIS\n";
}

std::string item(const std::string& term, const std::string& text) { return ".TP\n" + term + "\n" + text + "\n"; }

std::string exit_codes() {
  return ".SH EXIT STATUS\n" + item("0", "Done.") + item("1", "Failed; standard error says why in one line.") +
         item("2", "Wrong usage.") + item("130, 143", "Stopped by Ctrl\\-C or SIGTERM; what was finished is saved.");
}

}  // namespace

std::string manual_page() {
  std::string page = heading("sextant", "steers diffusion models with off-the-shelf classifiers") + bold("sextant") +
                     " " + slanted("COMMAND") + " [" + slanted("--flag VALUE") + " ...]\n.SH COMMANDS\n";
  for (const Command& command : commands()) {
    page += item("\\fBsextant\\-" + plain(command.name) + "\\fR(1)", plain(command.summary) + ".");
  }
  page += item(bold("help") + " [" + slanted("COMMAND") + "]", "What " + bold("--help") + " prints.") +
          item(bold("help --man") + " [" + slanted("COMMAND") + "]", "A man page.") +
          item(bold("help --completion") + " " + slanted("SHELL"), "Completion for bash, zsh or fish.") +
          item(bold("help --markdown"), "The reference of all commands.") +
          item(bold("--version"), "The version, and that of libtorch.");
  return page + exit_codes();
}

std::string manual_page(const Command& command) {
  const Invocation invocation = command.open();  // holds the settings that its table points to
  const OptionTable& table = invocation.table;
  const nlohmann::json defaults = table.to_json();
  std::string page = heading("sextant-" + command.name, command.summary) + bold("sextant " + command.name);
  if (!command.argument.empty()) page += " " + slanted(command.argument);
  page += " [" + slanted("--flag VALUE") + " ...]\n.SH DESCRIPTION\n" + plain(command.summary) +
          ".\nEvery setting is a flag, and a key of the table in brackets of a recipe.\n.SH OPTIONS\n";
  page += item(bold("--recipe") + " " + slanted("FILE"),
               "Settings from a TOML recipe or an earlier run\\(aqs run.json; flags override them.") +
          item(bold("--help"), "The settings on standard output.");
  for (const OptionGroup& group : table.groups()) {
    page += ".SS \"" + plain(group.title) + " [" + plain(group.name) + "]\"\n";
    for (const Option& option : group.options) {
      const OptionRow row = row_of(option, defaults.at(group.name));
      page += item(bold(row.flag) + (row.value.empty() ? "" : " " + slanted(row.value)), plain(row.about));
    }
  }
  if (command.shared) page += ".SS \"" + plain(kByHandTitle) + "\"\n";
  for (const ByHandFlag& flag : by_hand_flags(command)) {
    page += item(bold(flag.flag) + " " + slanted(flag.value), plain(flag.about));
  }
  return page + exit_codes() + ".SH SEE ALSO\n" + bold("sextant") + "(1)\n";
}

}  // namespace sextant::cli
