#include "internal/commands/evaluate.h"

#include <iostream>

#include "command.h"
#include "terminal.h"

namespace sextant::cli {
namespace {

class Evaluate : public Command {
 public:
  std::string name() const override { return "evaluate"; }
  std::string summary() const override {
    return "Score samples against a reference: FID, sFID, inception score, precision, recall, KID";
  }
  std::string argument() const override { return "SAMPLES"; }
  bool needs_argument() const override { return false; }  // a recipe may name the samples
  OptionTable& table() override { return table_; }

  int run(const std::string& samples) override {
    if (!samples.empty()) config_.samples = samples;
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const commands::EvaluateResult result = commands::run_evaluate(config_, *progress, stop);
    if (!result.complete) return stop.exit_code();
    if (result.evaluation) {
      std::cout << commands::evaluation_text(*result.evaluation, config_.format) << std::flush;
    }
    return 0;
  }

 private:
  commands::EvaluateConfig config_;
  OptionTable table_{"evaluate", commands::evaluate_options(config_)};
};

}  // namespace

std::unique_ptr<Command> evaluate_command() { return std::make_unique<Evaluate>(); }

}  // namespace sextant::cli
