// The commands, as data: what each is called, what it takes and what it runs.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/runtime/options.h"

namespace sextant::cli {

/// One use of a command: a table over its settings, and the run with them. The functions share the settings with the
/// table and keep them alive.
struct Invocation {
  OptionTable table;
  /// Takes out of a recipe's tables what the command keeps for itself; the table gets the rest. `source` names the file
  /// in errors.
  std::function<void(nlohmann::json& tables, const std::string& source)> take;
  /// Runs with the settings now in the table. `argument` is the text given for Command::argument. Returns the exit
  /// code.
  std::function<int(const std::string& argument)> run;
};

struct Command {
  std::string name;
  std::string summary;  ///< one line, without a full stop
  /// "FILE" for a command that takes one, "FOLDER..." for one that takes several (they arrive as lines), "RECIPE" for
  /// one whose file is its recipe, or "".
  std::string argument;
  bool needs_argument = false;
  std::function<Invocation()> open;  ///< with the default settings
  bool shared = false;               ///< several processes do it together, those of a launcher or started by hand
  bool any_record = false;           ///< a run.json of any command is a recipe of it
};

/// All commands, in the order of the help.
const std::vector<Command>& commands();

/// UsageError, with the nearest name, where no command is called so.
const Command& command_named(const std::string& name);

}  // namespace sextant::cli
