// Classifiers whose logits are rescaled after training: what temperature and vector scaling find, kept in config.json.
//
//   "calibration": {"temperature": T}                    f -> f / T
//   "calibration": {"scale": [...], "shift": [...]}      f_k -> scale_k f_k + shift_k
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/models/models.h"

namespace sextant::models {

/// A rescaling of logits [N, K]; the default changes nothing.
struct Rescaling {
  double temperature = 1;     ///< > 0; of no effect beside a scale
  std::vector<double> scale;  ///< [K], or empty
  std::vector<double> shift;  ///< [K], or empty

  bool changes_nothing() const { return temperature == 1 && scale.empty(); }
  /// In the dtype and on the device of f.
  Tensor operator()(const Tensor& f) const;
};

/// `first`, then `second`, as one.
Rescaling compose(const Rescaling& first, const Rescaling& second);

/// What config.json's "calibration" says of a classifier of `classes` classes; without one, the default.
/// CheckpointError.
Rescaling rescaling_of(const nlohmann::json& config, int64_t classes);
nlohmann::json to_json(const Rescaling& rescaling);

/// `classifier` with its logits rescaled; itself where nothing changes.
std::shared_ptr<const guidance::Classifier> calibrated(std::shared_ptr<const guidance::Classifier> classifier,
                                                       const Rescaling& rescaling);

/// A model folder of the classifier that open_classifier(path, arch, options) opens, with its logits rescaled once
/// more: config.json, which keeps the options too, and the weights. `classes` is its number of classes; `remarks` go to
/// "calibration" beside the numbers. UsageError when `folder` holds the classifier itself.
void save_calibrated(const std::filesystem::path& folder, const std::filesystem::path& path, const std::string& arch,
                     const ClassifierOptions& options, int64_t classes, const Rescaling& rescaling,
                     const nlohmann::json& remarks);

}  // namespace sextant::models
