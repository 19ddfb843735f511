#include "recipe.h"

#include "command.h"
#include "fuzz/targets.h"
#include "internal/commands/inspect.h"
#include "internal/commands/sweep.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

/// The recipe is offered to sample, to sweep, and to one other command that its length chooses, up to where it would
/// run: all of them take ten times as long.
void recipe(const std::filesystem::path& file) {
  const nlohmann::json tables = cli::read_toml(file);
  const auto tried = [](auto work) {
    try {
      work();
    } catch (const Error&) {
    }
  };
  const auto& commands = cli::commands();
  tried([&] {
    cli::Invocation invocation = commands[std::filesystem::file_size(file) % commands.size()].open();
    nlohmann::json own = tables;
    invocation.take(own, file.string());
    invocation.table.merge(own, file.string());
    invocation.table.check();
  });
  tried([&] {
    commands::SampleConfig config;
    OptionTable("sample", commands::sample_options(config)).merge(tables, file.string());
    commands::check_settings(config);
    commands::settings_without_effect(config);
  });
  tried([&] { commands::recipe_text(commands::inspect_recipe(tables)); });
  nlohmann::json grid = tables;
  commands::tidy_recipe(grid);
  commands::SweepConfig sweep;
  commands::sweep_evaluation(grid, sweep);
  commands::sweep_runs(grid, sweep);
}

}  // namespace sextant::fuzz
