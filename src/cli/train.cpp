#include "run/train.h"

#include <iostream>

#include "cli/command.h"
#include "cli/recipe.h"
#include "cli/terminal.h"

namespace sextant::cli {
namespace {

class Train : public Command {
 public:
  std::string name() const override { return "train"; }
  std::string summary() const override { return "Train a diffusion model or a classifier, noise-aware or not"; }
  std::string argument() const override { return ""; }
  OptionTable& table() override { return table_; }

  /// A recipe's [model] table is a model's config.json.
  void take_recipe(const std::string& path) override {
    nlohmann::json tables = recipe_tables(path, name());
    if (tables.contains("model")) {
      config_.architecture = tables["model"];
      tables.erase("model");
    }
    table_.merge(tables, path);
  }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const run::TrainResult result = run::run_train(config_, *progress, stop);
    if (!config_.quiet) {
      std::cout << (result.complete ? "trained model in " : "stopped; the same command continues in ") << config_.out
                << ", " << result.steps << " steps" << (result.there_already ? " (trained by an earlier run)" : "")
                << std::endl;
    }
    return result.complete ? 0 : stop.exit_code();
  }

 private:
  run::TrainConfig config_;
  OptionTable table_{"train", run::train_options(config_)};
};

}  // namespace

std::unique_ptr<Command> train_command() { return std::make_unique<Train>(); }

}  // namespace sextant::cli
