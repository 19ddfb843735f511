// Tables, JSON and diagrams of a calibration run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "internal/commands/calibrate.h"

namespace sextant::commands {

nlohmann::json to_json(const CalibrateResult& result);

/// reliability*.svg and .png of clean images; with levels ece, accuracy and nll, one curve for each variant and input;
/// with several softplus betas softplus.svg and .png.
void write_diagrams(const std::filesystem::path& out, const CalibrateResult& result, const std::string& level_symbol);

}  // namespace sextant::commands
