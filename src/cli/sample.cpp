#include "internal/commands/sample.h"

#include <iostream>

#include "command.h"
#include "terminal.h"

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
    const auto progress = terminal_progress(config_.run.quiet);
    for (const std::string& line : commands::unused_settings(config_)) progress->note(line);
    const commands::SampleResult result = commands::run_sample(config_, *progress, stop);
    if (!config_.run.quiet) {
      std::cout << result.finished << " of " << result.count << " images in " << config_.run.out
                << (result.there_already ? " (drawn by an earlier run)" : "") << std::endl;
    }
    return result.complete() ? 0 : stop.exit_code();
  }

 private:
  commands::SampleConfig config_;
  OptionTable table_{"sample", commands::sample_options(config_)};
};

}  // namespace

std::unique_ptr<Command> sample_command() { return std::make_unique<Sample>(); }

}  // namespace sextant::cli
