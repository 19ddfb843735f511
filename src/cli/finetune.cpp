#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "run/train.h"

namespace sextant::cli {
namespace {

class Finetune : public Command {
 public:
  std::string name() const override { return "finetune"; }
  std::string summary() const override { return "Fine-tune a classifier with the Smooth ECE loss"; }
  std::string argument() const override { return ""; }
  OptionTable& table() override { return table_; }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const run::TrainResult result = run::run_finetune(config_, *progress, stop);
    std::cout << run::finetune_text(result);
    if (!config_.quiet) {
      std::cout << (result.complete ? "fine-tuned classifier in " : "stopped; the same command continues in ")
                << config_.out << ", " << result.steps << " steps"
                << (result.there_already ? " (by an earlier run)" : "") << std::endl;
    }
    return result.complete ? 0 : stop.exit_code();
  }

 private:
  run::TrainConfig config_ = run::finetune_defaults();
  OptionTable table_{"finetune", run::finetune_options(config_)};
};

}  // namespace

std::unique_ptr<Command> finetune_command() { return std::make_unique<Finetune>(); }

}  // namespace sextant::cli
