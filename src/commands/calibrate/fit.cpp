#include "calibrate/fit.h"

#include "sextant/calibration/calibration.h"

namespace sextant::commands {
namespace {

struct LabelledLogits {
  Tensor logits;  ///< [N, K]
  Tensor labels;  ///< [N]
};

/// What a repair is fitted on; none after a stop.
std::optional<LabelledLogits> collect(const CalibrateConfig& config, const LogitsCollector& collector,
                                      const Levels* levels, const Subset& subset) {
  if (config.fit_on == Shown::kClean) {
    const auto clean = collector.clean(subset);
    if (!clean) return std::nullopt;
    return LabelledLogits{clean->of_classifiers[0], subset.labels};
  }
  std::vector<Tensor> logits;
  std::vector<Tensor> labels;
  for (const double level : levels->values()) {
    const auto noisy = collector.at(level, {config.fit_on}, subset);
    if (!noisy) return std::nullopt;
    logits.push_back(noisy->front().of_classifiers[0]);
    labels.push_back(subset.labels);
  }
  return LabelledLogits{at::cat(logits), at::cat(labels)};
}

classifiers::Rescaling fitted(const CalibrateConfig& config, const LabelledLogits& answers) {
  if (config.fit == FitMethod::kTemperature)
    return {calibration::fit_temperature(answers.logits, answers.labels), {}, {}};
  const calibration::VectorScaling scaling =
      calibration::fit_vector_scaling(answers.logits, answers.labels, config.ridge);
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel());
  };
  return {1, numbers(scaling.scale.contiguous()), numbers(scaling.shift.contiguous())};
}

}  // namespace

std::optional<CalibrateFit> fit_repair(const CalibrateConfig& config, const LogitsCollector& collector,
                                       const Levels* levels, const CalibrateData& data) {
  const auto answers = collect(config, collector, levels, *data.fitted);
  if (!answers) return std::nullopt;
  return CalibrateFit{config.fit, fitted(config, *answers), data.fitted->labels.numel(), data.fitted_on};
}

nlohmann::json fit_remarks(const CalibrateConfig& config, const CalibrateResult& result) {
  const auto numbers = [](const calibration::Measures& m) {
    return nlohmann::json{{"ece", m.ece}, {"nll", m.nll}, {"accuracy", m.accuracy}};
  };
  nlohmann::json remarks = {
      {"fitted_on", result.fit->source}, {"images", result.fit->count}, {"measured_on", config.data}};
  for (const CalibrateRow& row : result.rows) {
    if (row.input == Shown::kClean) remarks[row.variant] = numbers(row.measures);
  }
  return remarks;
}

}  // namespace sextant::commands
