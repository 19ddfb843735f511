#include "internal/commands/train.h"

#include <iostream>

#include "command.h"
#include "recipe.h"
#include "terminal.h"

namespace sextant::cli {
namespace {

using commands::TrainConfig;

/// What `train` and `finetune` have in common.
class Training : public Command {
 public:
  OptionTable& table() override { return table_; }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const commands::TrainResult result = work(config_, *progress, stop);
    std::cout << commands::finetune_text(result);
    if (!config_.quiet) {
      std::cout << (result.complete ? done() + " in " : "stopped; the same command continues in ") << config_.out
                << ", " << result.steps << " steps" << (result.there_already ? " (by an earlier run)" : "")
                << std::endl;
    }
    return result.complete ? 0 : stop.exit_code();
  }

 protected:
  Training(const std::string& name, TrainConfig defaults, std::vector<OptionGroup> (*options)(TrainConfig&))
      : config_(std::move(defaults)), table_(name, options(config_)) {}

  virtual commands::TrainResult work(const TrainConfig& config, Progress& progress, const Stop& stop) const = 0;
  virtual std::string done() const = 0;  ///< "trained model"

  TrainConfig config_;
  OptionTable table_;
};

class Train : public Training {
 public:
  Train() : Training("train", {}, commands::train_options) {}
  std::string name() const override { return "train"; }
  std::string summary() const override { return "Train a diffusion model or a classifier, noise-aware or not"; }

  /// A recipe's [model] table is a model's config.json.
  void take_recipe(const std::string& path) override {
    nlohmann::json tables = recipe_tables(path, name());
    if (tables.contains("model")) {
      config_.architecture = tables["model"];
      tables.erase("model");
    }
    table_.merge(tables, path);
  }

 private:
  commands::TrainResult work(const TrainConfig& config, Progress& progress, const Stop& stop) const override {
    return commands::run_train(config, progress, stop);
  }
  std::string done() const override { return "trained model"; }
};

class Finetune : public Training {
 public:
  Finetune() : Training("finetune", commands::finetune_defaults(), commands::finetune_options) {}
  std::string name() const override { return "finetune"; }
  std::string summary() const override { return "Fine-tune a classifier with the Smooth ECE loss"; }

 private:
  commands::TrainResult work(const TrainConfig& config, Progress& progress, const Stop& stop) const override {
    return commands::run_finetune(config, progress, stop);
  }
  std::string done() const override { return "fine-tuned classifier"; }
};

}  // namespace

std::unique_ptr<Command> train_command() { return std::make_unique<Train>(); }
std::unique_ptr<Command> finetune_command() { return std::make_unique<Finetune>(); }

}  // namespace sextant::cli
