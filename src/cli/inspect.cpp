#include "internal/commands/inspect.h"

#include <iostream>

#include "command.h"

namespace sextant::cli {
namespace {

class Inspect : public Command {
 public:
  std::string name() const override { return "inspect"; }
  std::string summary() const override {
    return "Show what is in a checkpoint, an .npz or a model folder; convert to safetensors";
  }
  std::string argument() const override { return "FILE"; }
  OptionTable& table() override { return table_; }

  int run(const std::string& file) override {
    const nlohmann::json inspection = commands::inspect(file);
    if (!config_.to.empty()) commands::convert(file, config_.to);
    std::cout << (config_.json ? inspection.dump(2) + "\n" : commands::inspection_text(inspection));
    return 0;
  }

 private:
  commands::InspectConfig config_;
  OptionTable table_{"inspect", commands::inspect_options(config_)};
};

}  // namespace

std::unique_ptr<Command> inspect_command() { return std::make_unique<Inspect>(); }

}  // namespace sextant::cli
