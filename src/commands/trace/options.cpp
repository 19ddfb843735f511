#include "common/run_options.h"
#include "internal/commands/sweep.h"
#include "internal/commands/trace.h"

namespace sextant::commands {

std::vector<OptionGroup> trace_options(TraceConfig& c) {
  std::vector<OptionGroup> groups = sample_options(c.method);
  for (Option& option : groups.front().options) {
    if (option.flag == "--out") {
      option = out_option(c.method.run, "confidence, gradient-norm, entropy, vanished, maps.png and trace.json");
    } else if (option.flag == "--overwrite") {
      option = overwrite_option(c.method.run, "Replace the trace of other settings in --out");
    }
  }
  groups.push_back({"trace",
                    "What maps.png shows",
                    {
                        {"--samples", &c.samples, Anything{}, "Images, by index: 0,5 or 0-3", "LIST"},
                        {"--at", &c.at, Anything{},
                         "Steps, from the number of steps - 1 (the noisiest) to 0; empty is five of them", "LIST"},
                    }});
  return groups;
}

void take_methods(nlohmann::json& recipe, TraceConfig& config) {
  if (recipe.contains("rows") || recipe.contains("sweep")) tidy_recipe(recipe);
  for (const char* key : {"rows", "columns", "axes"}) {
    if (recipe.contains(key)) config.grid[key] = recipe[key];
    recipe.erase(key);
  }
  recipe.erase("sweep");
  recipe.erase("evaluate");
}

}  // namespace sextant::commands
