// The repair of a classifier: what it is fitted on, and what is remembered of it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "calibrate/data.h"

namespace sextant::commands {

/// Fits what --fit asks for on data.fitted, which is there, by the logits of the collector's first classifier; none
/// after a stop. `levels` may be null where --fit-on is clean. NumericError where there is nothing to fit.
std::optional<CalibrateFit> fit_repair(const CalibrateConfig& config, const LogitsCollector& collector,
                                       const Levels* levels, const CalibrateData& data);

/// What the saved classifier's config.json remembers of the fit.
nlohmann::json fit_remarks(const CalibrateConfig& config, const CalibrateResult& result);

}  // namespace sextant::commands
