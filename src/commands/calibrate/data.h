// The images that a calibration run measures on, and those it fits on.
#pragma once

#include <optional>
#include <string>

#include "calibrate/logits.h"

namespace sextant::commands {

struct CalibrateData {
  Subset measured;
  std::optional<Subset> fitted;  ///< only where something is fitted
  std::string fitted_on;         ///< which these are, for a reader
};

/// Opens what `config` names, image folders with `channels` channels. DataError and UsageError.
CalibrateData open_data(const CalibrateConfig& config, int64_t channels);

/// UsageError unless every label is one of `classes` and the data set, if it names its classes, has as many.
void check_classes(const CalibrateConfig& config, const std::string& data, const Subset& subset, int64_t classes);

}  // namespace sextant::commands
