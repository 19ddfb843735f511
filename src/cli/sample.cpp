#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "sextant/run.h"

namespace sextant::cli {
namespace {

class Sample : public Command {
 public:
  std::string name() const override { return "sample"; }
  std::string summary() const override { return "Draw samples from a diffusion model, steered by a classifier"; }
  OptionTable& table() override { return table_; }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    for (const std::string& line : run::unused_settings(config_)) progress->note(line);
    const run::SampleResult result = run::run_sample(config_, *progress, stop);
    if (!config_.quiet) {
      std::cout << result.finished << " of " << result.count << " images in " << config_.out
                << (result.there_already ? " (drawn by an earlier run)" : "") << std::endl;
    }
    return result.complete() ? 0 : stop.exit_code();
  }

 private:
  run::SampleConfig config_;
  OptionTable table_{"sample", run::sample_options(config_)};
};

}  // namespace

std::unique_ptr<Command> sample_command() { return std::make_unique<Sample>(); }

}  // namespace sextant::cli
