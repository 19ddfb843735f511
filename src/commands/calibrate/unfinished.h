// What a measurement that was stopped or killed had found, so that the same command goes on there.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "calibrate/data.h"
#include "internal/commands/calibrate.h"

namespace sextant::commands {

/// All that the numbers depend on: settings, weights (OpenedWeights::record()), images and labels.
nlohmann::json identity_of(const CalibrateConfig& config, const nlohmann::json& weights, const CalibrateData& data);

class UnfinishedCalibration {
 public:
  /// Reads OUT/calibration.partial where it is of this identity; what another measurement left there is of no use.
  /// `classes` are the classifier's. Without a folder (`out` is "") nothing is kept. DataError for a damaged file.
  UnfinishedCalibration(const std::string& out, nlohmann::json identity, int64_t classes);

  /// The rows and the repair that are known; the rows are the first ones of the whole, in its order.
  const CalibrateResult& found() const { return found_; }
  void keep(const CalibrateResult& result) const;
  /// To be called when the whole is written.
  void remove() const;

 private:
  std::filesystem::path file_;
  nlohmann::json identity_;
  CalibrateResult found_;
};

}  // namespace sextant::commands
