#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>

#include "internal/runtime/constant.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {

using nlohmann::json;

namespace {

Tensor as(const std::vector<double>& values, const Tensor& f) {
  return at::tensor(values, at::kDouble).to(f.options());
}

/// A temperature as a scale of every class.
Rescaling widened(const Rescaling& rescaling, std::size_t classes) {
  if (!rescaling.scale.empty()) return rescaling;
  return {1, std::vector<double>(classes, 1 / rescaling.temperature), std::vector<double>(classes, 0)};
}

bool is_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

Tensor Rescaling::operator()(const Tensor& f) const {
  if (!scale.empty()) return f * as(scale, f) + as(shift, f);
  return temperature == 1 ? f : f / temperature;
}

Rescaling compose(const Rescaling& first, const Rescaling& second) {
  if (first.scale.empty() && second.scale.empty()) return {first.temperature * second.temperature, {}, {}};
  const std::size_t classes = std::max(first.scale.size(), second.scale.size());
  const Rescaling a = widened(first, classes);
  const Rescaling b = widened(second, classes);
  Rescaling both;
  for (std::size_t k = 0; k < classes; ++k) {
    both.scale.push_back(a.scale[k] * b.scale[k]);
    both.shift.push_back(a.shift[k] * b.scale[k] + b.shift[k]);
  }
  return both;
}

Rescaling rescaling_of(const json& config, int64_t classes) {
  const auto calibration = config.find("calibration");
  if (calibration == config.end()) return {};
  Rescaling rescaling;
  try {
    rescaling.temperature = calibration->value("temperature", 1.0);
    rescaling.scale = calibration->value("scale", std::vector<double>{});
    rescaling.shift = calibration->value("shift", std::vector<double>{});
  } catch (const json::exception&) {
    throw CheckpointError("config.json: \"calibration\" has an entry of the wrong type: " + calibration->dump());
  }
  const auto fits = [&](const std::vector<double>& values) {
    return static_cast<int64_t>(values.size()) == classes && is_finite(values);
  };
  const bool scaled = !rescaling.scale.empty() || !rescaling.shift.empty();
  if (!(rescaling.temperature > 0) || !std::isfinite(rescaling.temperature) ||
      (scaled && !(fits(rescaling.scale) && fits(rescaling.shift)))) {
    throw CheckpointError(
        c10::str("config.json: \"calibration\" needs a temperature above 0, or a scale and a shift of ", classes,
                 " finite numbers: ", calibration->dump()));
  }
  return rescaling;
}

json to_json(const Rescaling& rescaling) {
  if (rescaling.scale.empty()) return {{"temperature", rescaling.temperature}};
  return {{"scale", rescaling.scale}, {"shift", rescaling.shift}};
}

guidance::Classifier calibrated(guidance::Classifier classifier, const Rescaling& rescaling) {
  if (rescaling.changes_nothing()) return classifier;
  if (rescaling.scale.empty()) {
    return {[logits = classifier.logits, rescaling](const Tensor& x, const Tensor& t, const SampleIds& ids) {
              return rescaling(logits(x, t, ids));
            },
            classifier.classes, classifier.uses_time};
  }
  const Constant scale(at::tensor(rescaling.scale, at::kDouble)), shift(at::tensor(rescaling.shift, at::kDouble));
  return {[logits = classifier.logits, scale, shift](const Tensor& x, const Tensor& t, const SampleIds& ids) {
            const Tensor f = logits(x, t, ids);
            return f * scale.like(f) + shift.like(f);
          },
          classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
