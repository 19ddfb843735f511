#include "common/run_options.h"
#include "internal/commands/sweep.h"
#include "internal/commands/trace.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// What may be written as a list, "1,2,3" or one number, as a list.
json listed(const json& seeds) {
  if (seeds.is_array()) return seeds;
  json list = json::array();
  if (seeds.is_number()) list.push_back(seeds);
  if (!seeds.is_string() || seeds.get_ref<const std::string&>().empty()) return list;
  for (const std::string& seed : split(seeds.get<std::string>(), ',')) list.push_back(trimmed(seed));
  return list;
}

/// The first of the seeds becomes that of [sample], which a sweep's win over, too.
void take_seeds(json& recipe, TraceConfig& config) {
  if (!recipe["sweep"].is_object()) return;
  const json seeds = listed(recipe["sweep"].value("seeds", json()));
  config.seeds = seeds.size();
  if (seeds.empty() || (recipe.contains("sample") && !recipe["sample"].is_object())) return;
  recipe["sample"]["seed"] = seeds.front();
}

bool is_value(OptionTable& table, const std::string& group, const std::string& key, const json& value) {
  try {
    table.merge({{group, {{key, value}}}}, "the recipe");
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

/// A list that its setting does not take as one value is an axis of the grid, as in a sweep.
void take_lists(json& recipe, TraceConfig& config) {
  SampleConfig tried;
  OptionTable table("trace", sample_options(tried));
  for (const OptionGroup& group : table.groups()) {
    if (!recipe.contains(group.name) || !recipe[group.name].is_object()) continue;
    json& settings = recipe[group.name];
    for (auto setting = settings.begin(); setting != settings.end();) {
      if (!setting->is_array() || is_value(table, group.name, setting.key(), *setting)) {
        ++setting;
        continue;
      }
      config.grid[group.name][setting.key()] = *setting;
      setting = settings.erase(setting);
    }
  }
}

}  // namespace

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

void take_methods(json& recipe, TraceConfig& config, const std::string& source) {
  config.source = source;
  tidy_recipe(recipe, source);
  take_seeds(recipe, config);
  for (const char* key : {"rows", "columns", "axes"}) {
    if (recipe.contains(key)) config.grid[key] = recipe[key];
    recipe.erase(key);
  }
  take_lists(recipe, config);
  recipe.erase("sweep");
  recipe.erase("evaluate");
}

}  // namespace sextant::commands
