#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>

#include "internal/runtime/constant.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/range.h"

namespace sextant::classifiers {

using nlohmann::json;

namespace {

Tensor as(const std::vector<double>& values, const Tensor& f) {
  return at::tensor(values, at::kDouble).to(f.options());
}

/// The same with a scale and a shift of every class.
Rescaling widened(Rescaling rescaling, std::size_t classes) {
  if (rescaling.scale.empty()) rescaling.scale.assign(classes, 1 / rescaling.temperature);
  if (rescaling.shift.empty()) rescaling.shift.assign(classes, 0);
  rescaling.temperature = 1;
  return rescaling;
}

bool is_temperature(const Rescaling& rescaling) { return rescaling.scale.empty() && rescaling.shift.empty(); }

/// Of how many classes it is; 0: any.
std::size_t classes_of(const Rescaling& rescaling) { return std::max(rescaling.scale.size(), rescaling.shift.size()); }

void check(const char* caller, const Rescaling& rescaling, std::size_t classes) {
  for (const auto* values : {&rescaling.scale, &rescaling.shift}) {
    if (values->empty() || values->size() == classes) continue;
    throw UsageError(c10::str(caller, ": expected a scale and a shift of ", classes, " classes, got ",
                              rescaling.scale.size(), " and ", rescaling.shift.size(), " numbers"));
  }
  Range{0, kUnlimited, /*above=*/true}.check(caller, "temperature", rescaling.temperature);
}

bool is_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

Tensor Rescaling::operator()(const Tensor& f) const {
  if (is_temperature(*this)) return temperature == 1 ? f : f / temperature;
  const Rescaling wide = widened(*this, static_cast<std::size_t>(f.size(1)));
  return f * as(wide.scale, f) + as(wide.shift, f);
}

Rescaling compose(const Rescaling& first, const Rescaling& second) {
  if (is_temperature(first) && is_temperature(second)) return {first.temperature * second.temperature, {}, {}};
  const std::size_t classes = std::max(classes_of(first), classes_of(second));
  for (const Rescaling* each : {&first, &second}) check("compose", *each, classes);
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
  if (is_temperature(rescaling)) return {{"temperature", rescaling.temperature}};
  const Rescaling wide = widened(rescaling, classes_of(rescaling));
  return {{"scale", wide.scale}, {"shift", wide.shift}};
}

guidance::Classifier calibrated(guidance::Classifier classifier, const Rescaling& rescaling) {
  const auto classes = classifier.classes > 0 ? static_cast<std::size_t>(classifier.classes) : classes_of(rescaling);
  check("calibrated", rescaling, classes);
  if (rescaling.changes_nothing()) return classifier;
  if (is_temperature(rescaling)) {
    return {[logits = classifier.logits, rescaling](const Tensor& x, const Tensor& t, const SampleIds& ids) {
              return rescaling(logits(x, t, ids));
            },
            classifier.classes, classifier.uses_time};
  }
  const Rescaling wide = widened(rescaling, classes);
  const Constant scale(at::tensor(wide.scale, at::kDouble)), shift(at::tensor(wide.shift, at::kDouble));
  return {[logits = classifier.logits, scale, shift](const Tensor& x, const Tensor& t, const SampleIds& ids) {
            const Tensor f = logits(x, t, ids);
            return f * scale.like(f) + shift.like(f);
          },
          classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
