#include "fuzz/targets.h"

namespace sextant::fuzz {

const std::vector<Target>& settings_targets() {
  static const std::vector<Target> kTargets = {{"recipe", "recipe.toml", kSmall, recipe},
                                               {"config-json", "config.json", kSmall, config_json},
                                               {"prompts", "prompts.txt", kSmall, prompts},
                                               {"run-json", "run.json", kMiddle, run_record},
                                               {"attributes", "attributes.csv", kSmall, attributes}};
  return kTargets;
}

}  // namespace sextant::fuzz
