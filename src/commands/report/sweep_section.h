// The part of a report about one sweep.
#pragma once

#include <string>

#include "report/collect.h"

namespace sextant::commands {

/// The table of a sweep's results as HTML, sortable, with a drawing of every difference and its interval.
std::string results_html(const nlohmann::json& record);

}  // namespace sextant::commands
