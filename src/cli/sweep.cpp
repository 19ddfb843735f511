#include "sextant/sweep.h"

#include <iostream>

#include "cli/command.h"
#include "cli/recipe.h"
#include "cli/terminal.h"

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
    const run::SweepResult result = run::run_sweep(recipe_, config_, *progress, stop);
    std::cout << report::format_table(result.table, report::TableFormat::kTerminal);
    if (!config_.quiet)
      std::cout << result.finished << " of " << result.count << " runs in " << config_.out << std::endl;
    return result.finished == result.count ? 0 : stop.exit_code();
  }

 private:
  run::SweepConfig config_;
  OptionTable table_{"sweep", run::sweep_options(config_)};
  nlohmann::json recipe_;
};

}  // namespace

std::unique_ptr<Command> sweep_command() { return std::make_unique<Sweep>(); }

}  // namespace sextant::cli
