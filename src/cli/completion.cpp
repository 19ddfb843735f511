#include "completion.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "by_hand.h"
#include "command.h"
#include "internal/runtime/option_rows.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"
#include "usual_words.h"

namespace sextant::cli {
namespace {

const std::vector<std::string> kHelpWords = {"--man", "--completion", "--markdown"};

/// Whether what stands for a value names a file or a folder.
bool is_path(const std::string& value) {
  constexpr std::array<const char*, 8> kPaths = {"PATH",    "FILE",   "DIR",    "NPZ",
                                                 "SAMPLES", "RECIPE", "LEDGER", "FOLDER..."};
  return std::find(kPaths.begin(), kPaths.end(), value) != kPaths.end();
}

/// Words of a sum that stand alone.
const std::vector<std::string> kAlone = {"none", "all"};

/// The words of a sum that another one may follow or go before.
std::vector<std::string> terms_of(const OptionRow& row) {
  std::vector<std::string> terms;
  std::copy_if(row.words.begin(), row.words.end(), std::back_inserter(terms),
               [](const std::string& word) { return std::find(kAlone.begin(), kAlone.end(), word) == kAlone.end(); });
  return terms;
}

/// The rows of a command's table, and those that every command has.
std::vector<OptionRow> rows_of(const Command& command) {
  const Invocation invocation = command.open();  // holds the settings that its table points to
  const OptionTable& table = invocation.table;
  const nlohmann::json defaults = table.to_json();
  std::vector<OptionRow> rows;
  for (const OptionGroup& group : table.groups()) {
    for (const Option& option : group.options) {
      rows.push_back(row_of(option, defaults.at(group.name)));
      rows.back().about = option.help;
      if (rows.back().words.empty()) rows.back().words = usual_words(option.flag, command);
    }
  }
  for (const ByHandFlag& flag : by_hand_flags(command)) {
    rows.push_back({.flag = flag.flag, .value = flag.value, .about = flag.about, .words = {}});
  }
  rows.push_back(
      {.flag = "--recipe", .value = "FILE", .about = "Settings from a TOML recipe or a run.json", .words = {}});
  rows.push_back({.flag = "--help", .value = "", .about = "The settings", .words = {}});
  return rows;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

/// In single quotes, for any of the shells.
std::string quoted(const std::string& text, const std::string& quote) { return "'" + replaced(text, "'", quote) + "'"; }

// ---- bash -----------------------------------------------------------------------------------------------------------

/// One branch of the case over the flag before the word: those of `rows` for which `wanted` holds.
template <class Wanted>
std::string bash_branch(const std::vector<OptionRow>& rows, const Wanted& wanted, const std::string& then) {
  std::vector<std::string> flags;
  for (const OptionRow& row : rows) {
    if (wanted(row)) flags.push_back(row.flag);
  }
  return flags.empty() ? "" : "        " + joined(flags, " | ") + ") " + then + " ;;\n";
}

std::string bash() {
  std::string cases;
  for (const Command& command : commands()) {
    const std::vector<OptionRow> rows = rows_of(command);
    std::vector<std::string> flags;
    std::transform(rows.begin(), rows.end(), std::back_inserter(flags), [](const OptionRow& row) { return row.flag; });
    cases += "    " + command.name + ")\n      flags='" + joined(flags, " ") + "'\n" +
             (command.argument.empty() ? "" : "      argument=1\n") + "      case $flag in\n";
    for (const OptionRow& row : rows) {
      if (row.words.empty()) continue;
      cases += "        " + row.flag + ") words='" + joined(row.words, " ") + "'" +
               (row.sum ? " terms='" + joined(terms_of(row), " ") + "'" : "") + " ;;\n";
    }
    cases += bash_branch(
        rows, [](const OptionRow& row) { return is_path(row.value) && row.words.empty(); }, "files=1");
    cases += bash_branch(
        rows, [](const OptionRow& row) { return !row.value.empty() && !is_path(row.value) && row.words.empty(); },
        "return");
    cases += "      esac\n      ;;\n";
  }
  const std::string names = joined(command_names(), " ");
  return "# bash completion of sextant; made by 'sextant help --completion bash'.\n"
         "_sextant() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} flags= words= files= terms= "
         "argument= used word\n"
         "  # --flag=word arrives as three words.\n"
         "  [ \"$current\" != = ] || current=\n"
         "  [ \"$flag\" != = ] || flag=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    words='" +
         names +
         " help --help --version'\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n"
         "    help)\n"
         "      words='" +
         names + " " + joined(kHelpWords, " ") +
         "'\n"
         "      [ \"$flag\" != --completion ] || words='bash zsh fish'\n"
         "      ;;\n" +
         cases +
         "  esac\n"
         "  if [ \"$COMP_CWORD\" -gt 1 ] && [ -z \"$words$files\" ]; then\n"
         "    case $current in\n"
         "      -*) words=$flags ;;\n"
         "      *) files=$argument ;;\n"
         "    esac\n"
         "  fi\n"
         "  if [ -n \"$files\" ]; then\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "  elif [ -n \"$terms\" ] && [ \"${current%+*}\" != \"$current\" ]; then\n"
         "    # Each term once, none of those that stand alone.\n"
         "    used=+${current%+*}+ words=\n"
         "    for word in $terms; do\n"
         "      case $used in *+\"$word\"+*) ;; *) words=\"$words $word\" ;; esac\n"
         "    done\n"
         "    mapfile -t COMPREPLY < <(compgen -P \"${current%+*}+\" -W \"$words\" -- \"${current##*+}\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  fi\n"
         "}\n"
         "complete -F _sextant sextant\n";
}

// ---- zsh ------------------------------------------------------------------------------------------------------------

std::string zsh_quoted(const std::string& text) { return quoted(text, "'\\''"); }

/// Inside a specification of _arguments.
std::string zsh_text(const std::string& text) {
  return replaced(replaced(replaced(replaced(text, "\\", "\\\\"), "[", "\\["), "]", "\\]"), ":", "\\:");
}

std::string zsh_argument(const OptionRow& row) {
  std::string specification = row.flag + (row.value.empty() ? "" : "=") + "[" + zsh_text(row.about) + "]";
  if (!row.value.empty()) specification += ":" + row.value + ":";
  if (row.sum) {
    specification += "_values -s + " + row.value + " " + joined(row.words, " ");
  } else if (!row.words.empty()) {
    specification += "(" + joined(row.words, " ") + ")";
  } else if (is_path(row.value)) {
    specification += "_files";
  }
  return zsh_quoted(specification);
}

std::string zsh() {
  std::string names;
  std::string cases;
  for (const Command& command : commands()) {
    names += "    " + zsh_quoted(command.name + ":" + zsh_text(command.summary)) + "\n";
    std::vector<std::string> arguments;
    for (const OptionRow& row : rows_of(command)) arguments.push_back(zsh_argument(row));
    if (!command.argument.empty()) {
      const std::string place = command.argument.ends_with("...") ? "*" : "1";
      arguments.push_back("'" + place + ":" + replaced(command.argument, "...", "") + ":_files'");
    }
    cases += "    " + command.name + ")\n      _arguments \\\n        " + joined(arguments, " \\\n        ") + "\n";
    cases += "      ;;\n";
  }
  return "#compdef sextant\n"
         "# zsh completion of sextant; made by 'sextant help --completion zsh'.\n"
         "compdef _sextant sextant\n"
         "_sextant() {\n"
         "  local -a commands=(\n" +
         names +
         "    'help:What --help prints'\n"
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $words[1] in\n" +
         cases +
         "    help)\n"
         "      if [[ $words[CURRENT-1] == --completion ]]; then\n"
         "        compadd bash zsh fish\n"
         "      else\n"
         "        _describe command commands\n"
         "        compadd -- " +
         joined(kHelpWords, " ") +
         "\n"
         "      fi\n"
         "      ;;\n"
         "  esac\n"
         "}\n"
         "# Loaded by name, the file is the function.\n"
         "[[ ${funcstack[1]} != _sextant ]] || _sextant \"$@\"\n";
}

// ---- fish -----------------------------------------------------------------------------------------------------------

std::string fish_quoted(const std::string& text) { return quoted(replaced(text, "\\", "\\\\"), "\\'"); }

std::string fish() {
  std::string script =
      "# fish completion of sextant; made by 'sextant help --completion fish'.\n"
      "complete -c sextant -f\n"
      "# The words, or behind a plus those that may follow: each term once, none of those that stand alone.\n"
      "function __sextant_sum\n"
      "  set -l token (string replace -r -- '^--[^=]*=' '' (commandline -ct))\n"
      "  set -l before (string match -r -- '.*\\+' \"$token\")\n"
      "  set -l used (string split -- + \"$before\")\n"
      "  for word in $argv\n"
      "    if test -n \"$before\"; and contains -- $word " +
      joined(kAlone, " ") +
      " $used\n"
      "      continue\n"
      "    end\n"
      "    echo -- \"$before$word\"\n"
      "  end\n"
      "end\n";
  const auto command_line = [](const std::string& name, const std::string& summary) {
    return "complete -c sextant -n __fish_use_subcommand -a " + name + " -d " + fish_quoted(summary) + "\n";
  };
  for (const Command& command : commands()) script += command_line(command.name, command.summary);
  script += command_line("help", "What --help prints") + command_line("--version", "The version");
  const std::string help = "complete -c sextant -n '__fish_seen_subcommand_from help'";
  script += help + " -a '" + joined(command_names(), " ") + "'\n" + help + " -l man -d 'A man page'\n" + help +
            " -l completion -x -a 'bash zsh fish' -d 'Completion for a shell'\n" + help +
            " -l markdown -d 'The reference of all commands'\n";
  for (const Command& command : commands()) {
    const std::string here = "complete -c sextant -n '__fish_seen_subcommand_from " + command.name + "'";
    if (!command.argument.empty()) script += here + " -F\n";
    for (const OptionRow& row : rows_of(command)) {
      script += here + " -l " + row.flag.substr(2);
      if (row.sum) {
        script += " -x -a '(__sextant_sum " + joined(row.words, " ") + ")'";
      } else if (!row.words.empty()) {
        script += " -x -a '" + joined(row.words, " ") + "'";
      } else if (is_path(row.value)) {
        script += " -r -F";
      } else if (!row.value.empty()) {
        script += " -x";
      }
      script += " -d " + fish_quoted(row.about) + "\n";
    }
  }
  return script;
}

}  // namespace

std::string completion(const std::string& shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  throw UsageError("completion is for bash, zsh or fish, got '" + shell + "'");
}

}  // namespace sextant::cli
