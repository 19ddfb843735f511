#include "internal/commands/sweep.h"

#include <iostream>

#include "command.h"
#include "recipe.h"
#include "terminal.h"

namespace sextant::cli {
namespace {

class Sweep : public Command {
 public:
  std::string name() const override { return "sweep"; }
  std::string summary() const override { return "Run a grid of samplings and make one table and one picture of it"; }
  std::string argument() const override { return "RECIPE"; }
  OptionTable& table() override { return table_; }

  void take_recipe(const std::string& path) override {
    recipe_ = recipe_tables(path, name());
    if (recipe_.contains("sweep")) table_.merge({{"sweep", recipe_["sweep"]}}, path);
  }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const commands::SweepResult result = commands::run_sweep(recipe_, config_, *progress, stop);
    std::cout << report::format_table(result.table, report::TableFormat::kTerminal);
    if (!config_.quiet)
      std::cout << result.finished << " of " << result.count << " runs in " << config_.out << std::endl;
    return result.finished == result.count ? 0 : stop.exit_code();
  }

 private:
  commands::SweepConfig config_;
  OptionTable table_{"sweep", commands::sweep_options(config_)};
  nlohmann::json recipe_;
};

}  // namespace

std::unique_ptr<Command> sweep_command() { return std::make_unique<Sweep>(); }

}  // namespace sextant::cli
