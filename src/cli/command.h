// What every command is to main(): a name, a table of settings and a run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "internal/runtime/options.h"

namespace sextant::cli {

class Command {
 public:
  virtual ~Command() = default;
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;  ///< one line, without a full stop
  /// "FILE" for a command that takes one, "RECIPE" for one whose file is its recipe, else "".
  virtual std::string argument() const { return ""; }
  virtual bool needs_argument() const { return !argument().empty(); }
  virtual OptionTable& table() = 0;

  /// Reads a recipe into the table, before the flags.
  virtual void take_recipe(const std::string& path);

  /// Runs with the settings now in the table. `argument` is the text given for argument(). Returns the exit code.
  virtual int run(const std::string& argument) = 0;
};

// One per file of this folder.
std::unique_ptr<Command> sample_command();
std::unique_ptr<Command> sweep_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> evaluate_command();
std::unique_ptr<Command> calibrate_command();
std::unique_ptr<Command> train_command();
std::unique_ptr<Command> finetune_command();

/// All commands, in the order of the help.
std::vector<std::unique_ptr<Command>> commands();

}  // namespace sextant::cli
