// The images that a calibration run measures on, and those it fits on.
#pragma once

#include <optional>
#include <string>

#include "calibrate/logits.h"

namespace sextant::commands {

struct CalibrateData {
  Subset measured;
  std::optional<Subset> fitted;    ///< only where something is fitted
  std::string fitted_on;           ///< which these are, for a reader
  std::vector<std::string> notes;  ///< what a user should know of them
};

/// Opens what `config` names, with `channels` channels (0: as they are) and labels for the network's `classes`.
/// DataError and UsageError.
CalibrateData open_data(const CalibrateConfig& config, int64_t channels, const data::NetworkClasses& classes);

/// UsageError unless every label is one of `classes`, and a data set with classes of its own, which no network's names
/// and no numbers tie to the classifier, has as many.
void check_classes(const CalibrateConfig& config, const std::string& data, const Subset& subset, int64_t classes);

}  // namespace sextant::commands
