// Whether a classifier sees images as it was trained to, and gives logits.
#pragma once

#include <string>

#include "calibrate/logits.h"
#include "sextant/models/classifier.h"

namespace sextant::commands {

/// A line where another input convention makes the classifier right much more often than its own, on a sample of the
/// images; "" elsewhere. Both accuracies are in it.
std::string doubt_about_input(const CalibrateConfig& config, const guidance::Classifier& classifier,
                              const Subset& subset, models::Placement placement);

/// A line where the classifier is right about as often as a guess among its classes; "" elsewhere.
std::string doubt_about_accuracy(const calibration::Measures& measures, int64_t classes);

/// A line where every row of f [N, K] is a distribution, as behind a softmax; "" elsewhere. Any shift of a row's logits
/// means the same, so logits do that by no chance.
std::string doubt_about_logits(const Tensor& f);

}  // namespace sextant::commands
