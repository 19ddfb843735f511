// Networks of the families that a recipe names, at reduced size, with weights by the fill rule.
#pragma once

#include "commands/filled_model.h"

namespace sextant::testing {

/// A config.json of the same family and with the same classes, channels, process and latents, but little else.
nlohmann::json reduced(const nlohmann::json& config);

/// Writes reduced models into `folder` and lets `config` name them instead; a model that it names by a folder, which no
/// architecture tells, is taken for `folder_arch`. Tilt groups become small, prompts get their vocabulary.
void shrink_models(commands::SampleConfig& config, const std::filesystem::path& folder,
                   const std::string& folder_arch = "");

}  // namespace sextant::testing
