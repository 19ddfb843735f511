// Model folders whose weights come from the fill rule: every family at a size that runs in a moment.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "internal/commands/sample.h"
#include "support/golden.h"

namespace sextant::testing {

/// Writes `folder` with this config.json and weights by the fill rule under `prefix`; returns it.
std::filesystem::path write_model(const std::filesystem::path& folder, const nlohmann::json& config,
                                  const std::string& prefix = "");

// Configurations of families at that size. Class counts follow the arguments.
nlohmann::json tiny_dit(int64_t classes = 10);
nlohmann::json tiny_adm(int64_t classes = 10);
nlohmann::json tiny_edm(int64_t classes = 10);
nlohmann::json tiny_edm2(int64_t channels = 3, int64_t classes = 10, int64_t width = 16);
nlohmann::json tiny_vae(int64_t latent_channels = 4);  ///< factor 2
nlohmann::json tiny_resnet(int64_t channels = 3, int64_t classes = 10);

/// The images [N, H, W, C] of a run of two samples and two steps into folder.
Tensor draw(commands::SampleConfig config, const std::filesystem::path& folder);

/// What such a run says instead of drawing; "" if it drew.
std::string refusal(commands::SampleConfig config, const std::filesystem::path& folder);

}  // namespace sextant::testing
