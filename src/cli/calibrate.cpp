#include "internal/commands/calibrate.h"

#include <iostream>

#include "command.h"
#include "terminal.h"

namespace sextant::cli {
namespace {

class Calibrate : public Command {
 public:
  std::string name() const override { return "calibrate"; }
  std::string summary() const override {
    return "Measure a classifier's calibration, also along the noise levels, and repair it";
  }
  OptionTable& table() override { return table_; }

  int run(const std::string&) override {
    Stop stop;
    const StopOnSignals handlers(stop);
    const auto progress = terminal_progress(config_.quiet);
    const commands::CalibrateResult result = commands::run_calibrate(config_, *progress, stop);
    if (!result.complete) return stop.exit_code();
    std::cout << commands::calibrate_text(result, config_.format) << std::flush;
    return 0;
  }

 private:
  commands::CalibrateConfig config_;
  OptionTable table_{"calibrate", commands::calibrate_options(config_)};
};

}  // namespace

std::unique_ptr<Command> calibrate_command() { return std::make_unique<Calibrate>(); }

}  // namespace sextant::cli
