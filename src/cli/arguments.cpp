#include "arguments.h"

#include <CLI/CLI.hpp>
#include <map>

#include "internal/runtime/option_rows.h"
#include "internal/runtime/sentence.h"
#include "internal/runtime/text.h"
#include "recipe.h"
#include "sextant/runtime/error.h"
#include "words.h"

namespace sextant::cli {
namespace {

struct Given {
  std::string flag;
  std::string text;
};

/// Registers the table with CLI11; what was given is collected in order and checked by the table afterwards.
void add_flags(CLI::App& app, const OptionTable& table, std::vector<Given>& given) {
  for (const OptionGroup& group : table.groups()) {
    for (const Option& option : group.options) {
      const std::string flag = option.flag;
      if (std::holds_alternative<bool*>(option.target)) {
        app.add_flag_function(flag, [&given, flag](int64_t count) {
          given.push_back({flag, count > 0 ? "true" : "false"});
        });
      } else {
        const auto take = [&given, flag](const std::string& text) { given.push_back({flag, text}); };
        CLI::Option* const taken = app.add_option_function<std::string>(flag, take);
        if (const auto* several = std::get_if<Several>(&option.accepts)) {
          taken->join(several->separator);
        } else {
          taken->take_last();
        }
      }
    }
  }
}

/// An empty text is a value where the row tells what it means. Rows that read it as a number, or as one of their words,
/// say themselves what is wrong with it.
Takes taken_by(const Option& option) {
  if (std::holds_alternative<bool*>(option.target)) return Takes::kNothing;
  const bool text =
      std::holds_alternative<std::string*>(option.target) || std::holds_alternative<Choice>(option.target);
  const bool words = std::holds_alternative<OneOf>(option.accepts) || std::holds_alternative<SumOf>(option.accepts);
  const bool told = option.help.find("empty is ") != std::string::npos;
  return text && !words && !told ? Takes::kText : Takes::kTextOrEmpty;
}

/// Every flag of the command.
std::map<std::string, Takes> flags_of(const Command& command, const OptionTable& table) {
  std::map<std::string, Takes> flags = {
      {"--recipe", Takes::kText}, {"--help", Takes::kNothing}, {"-h", Takes::kNothing}};
  for (const ByHandFlag& flag : by_hand_flags(command)) flags[flag.flag] = Takes::kText;
  for (const OptionGroup& group : table.groups()) {
    for (const Option& option : group.options) flags[option.flag] = taken_by(option);
  }
  return flags;
}

void reject_remaining(const std::vector<std::string>& words, const OptionTable& table, const Command& command) {
  if (words.empty()) return;
  const std::string& word = words.front();
  if (!word.starts_with('-')) {
    throw UsageError("unexpected '" + word + "'" +
                     (command.argument.empty() ? "; every setting is a --flag"
                                               : "; one " + command.argument + " was given already"));
  }
  std::vector<std::string> known = table.flags();
  known.insert(known.end(), {"--recipe", "--help"});
  for (const ByHandFlag& by_hand : by_hand_flags(command)) known.emplace_back(by_hand.flag);
  const std::string flag = word.substr(0, word.find('='));
  throw UsageError("unknown flag '" + flag + "'." + did_you_mean(flag, known) + " See 'sextant " + table.command() +
                   " --help'");
}

/// The command that a recipe is for, by a table of its name; "" where none tells. A grid is a sweep's, of which a trace
/// may have one too.
std::string command_of(const nlohmann::json& tables) {
  if (tables.contains("trace")) return "trace";
  for (const char* grid : {"sweep", "rows", "columns", "axes"}) {
    if (tables.contains(grid)) return "sweep";
  }
  for (const Command& command : commands()) {
    if (tables.contains(command.name)) return command.name;
  }
  return "";
}

}  // namespace

void take_recipe(const Command& command, Invocation& invocation, const std::string& path) {
  nlohmann::json tables = recipe_tables(path, command.any_record ? "" : command.name);
  const std::string whose = command_of(tables);
  try {
    invocation.take(tables, path);
    invocation.table.merge(tables, path);
  } catch (const UsageError& error) {
    if (whose.empty() || whose == command.name) throw;
    throw UsageError(and_then(error.what(), "It is a recipe of 'sextant " + whose + "'"));
  }
}

Arguments parse(const Command& command, Invocation& invocation, const std::vector<std::string>& words) {
  OptionTable& table = invocation.table;
  Arguments arguments;
  std::string recipe;
  std::vector<Given> given;

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", arguments.help);
  app.add_option("--recipe", recipe)->take_last();
  for (const ByHandFlag& flag : by_hand_flags(command)) {
    app.add_option(flag.flag, arguments.by_hand.*flag.field)->take_last();
  }
  std::vector<std::string> several;
  if (command.argument.ends_with("...")) {
    app.add_option("several", several);
  } else if (!command.argument.empty()) {
    app.add_option(command.argument, arguments.argument);
  }
  add_flags(app, table, given);
  const std::vector<std::string> checked = checked_words(words, flags_of(command, table));
  try {
    app.parse(std::vector<std::string>(checked.rbegin(), checked.rend()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (arguments.help) return arguments;
  if (!several.empty()) arguments.argument = joined(several, "\n");
  reject_remaining(app.remaining(), table, command);
  if (command.argument == "RECIPE" && recipe.empty()) recipe = arguments.argument;
  if (command.argument == "RECIPE") arguments.argument = recipe;
  if (!recipe.empty()) take_recipe(command, invocation, recipe);
  for (const Given& setting : given) table.set(setting.flag, setting.text);
  if (arguments.argument.empty() && command.needs_argument) {
    throw UsageError("a " + command.argument + " is needed: sextant " + command.name + " " + command.argument);
  }
  return arguments;
}

std::string help(const Command& command, std::size_t columns) {
  const Invocation invocation = command.open();  // holds the settings that its table points to
  const OptionTable& table = invocation.table;
  const std::string argument = command.argument.empty() ? "" : " " + command.argument;
  std::string page = wrapped("sextant " + command.name + ": " + command.summary, columns - 2, 2) +
                     "\n\nUsage: sextant " + command.name + argument + " [--flag VALUE ...]\n" +
                     help_of(table.groups(), table.to_json(), columns);
  if (command.shared) page.append("\n").append(kByHandTitle).append("\n");
  for (const ByHandFlag& flag : by_hand_flags(command)) {
    page += help_row(std::string(flag.flag) + " " + flag.value, flag.about, columns);
  }
  return page + "\nEvery command\n" +
         help_row("--recipe FILE", "Settings from a TOML recipe or an earlier run's run.json; flags override them",
                  columns) +
         help_row("-h, --help", "This page", columns) + "\n" + wrapped(kGivenTwice, columns, 0) + "\n";
}

}  // namespace sextant::cli
