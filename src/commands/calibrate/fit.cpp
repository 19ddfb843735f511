#include "calibrate/fit.h"

#include "sextant/calibration/scaling.h"

namespace sextant::commands {
namespace {

/// Logits of what a repair is fitted on, with as many labels; none after a stop.
struct Evidence {
  Tensor logits, labels;
};
std::optional<Evidence> gather(const CalibrateConfig& config, const Viewer& viewer, const Levels* levels,
                               const Chosen& chosen) {
  if (config.fit_on == FitOn::kClean) {
    const auto answers = viewer.clean(chosen);
    if (!answers) return std::nullopt;
    return Evidence{answers->logits[0], chosen.labels};
  }
  const std::string input = config.fit_on == FitOn::kXt ? "xt" : "x0";
  std::vector<Tensor> logits;
  std::vector<Tensor> labels;
  for (const double level : levels->values()) {
    const auto answers = viewer.at(level, {input}, chosen);
    if (!answers) return std::nullopt;
    logits.push_back((*answers)[0].logits[0]);
    labels.push_back(chosen.labels);
  }
  return Evidence{at::cat(logits), at::cat(labels)};
}

classifiers::Rescaling fitted(const CalibrateConfig& config, const Evidence& evidence) {
  if (config.fit == FitMethod::kTemperature)
    return {calibration::fit_temperature(evidence.logits, evidence.labels), {}, {}};
  const calibration::VectorScaling scaling =
      calibration::fit_vector_scaling(evidence.logits, evidence.labels, config.ridge);
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel());
  };
  return {1, numbers(scaling.scale.contiguous()), numbers(scaling.shift.contiguous())};
}

}  // namespace

std::optional<CalibrateFit> fit_repair(const CalibrateConfig& config, const Viewer& viewer, const Levels* levels,
                                       const CalibrateData& data) {
  const auto evidence = gather(config, viewer, levels, *data.fitted);
  if (!evidence) return std::nullopt;
  return CalibrateFit{config.fit, fitted(config, *evidence), data.fitted->labels.numel(), data.fitted_on};
}

nlohmann::json fit_remarks(const CalibrateConfig& config, const CalibrateResult& result) {
  const auto numbers = [](const calibration::Measures& m) {
    return nlohmann::json{{"ece", m.ece}, {"nll", m.nll}, {"accuracy", m.accuracy}};
  };
  nlohmann::json remarks = {
      {"fitted_on", result.fit->source}, {"images", result.fit->count}, {"measured_on", config.data}};
  for (const CalibrateRow& row : result.rows) {
    if (row.input == "clean") remarks[row.variant] = numbers(row.measures);
  }
  return remarks;
}

}  // namespace sextant::commands
