// Classifiers whose logits are rescaled after training: what temperature and vector scaling find, kept in config.json.
//
//   "calibration": {"temperature": T}                    f -> f / T
//   "calibration": {"scale": [...], "shift": [...]}      f_k -> scale_k f_k + shift_k
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sextant/guidance/classifier.h"

namespace sextant::classifiers {

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
guidance::Classifier calibrated(guidance::Classifier classifier, const Rescaling& rescaling);

}  // namespace sextant::classifiers
