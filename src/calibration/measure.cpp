#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "sextant/calibration/calibration.h"

namespace sextant::calibration {

const std::vector<MeasureField>& measure_fields() {
  static const std::vector<MeasureField> kFields = {{"accuracy", "accuracy %", &Measures::accuracy, 2, 100},
                                                    {"ece", "ECE", &Measures::ece, 4, 1},
                                                    {"ece_mass", "ECE equal mass", &Measures::ece_mass, 4, 1},
                                                    {"mce", "MCE", &Measures::mce, 4, 1},
                                                    {"classwise_ece", "classwise ECE", &Measures::classwise, 4, 1},
                                                    {"smooth_ece", "Smooth ECE", &Measures::smooth_ece, 4, 1},
                                                    {"nll", "NLL", &Measures::nll, 4, 1},
                                                    {"brier", "Brier", &Measures::brier, 4, 1},
                                                    {"mean_confidence", "confidence", &Measures::confidence, 4, 1},
                                                    {"mean_entropy", "entropy", &Measures::entropy, 4, 1}};
  return kFields;
}

Measures measure(const Tensor& f, const Tensor& y, const MeasureOptions& options) {
  const at::NoGradGuard no_grad;
  const Predictions p = predict(f, y);
  Measures m;
  m.count = f.size(0);
  m.diagram = equal_width_bins(p.confidence, p.correct, options.bins);
  m.accuracy = p.correct.mean().item<double>();
  m.ece = m.diagram.ece;
  m.ece_mass = equal_mass_bins(p.confidence, p.correct, std::min(options.bins, m.count)).ece;
  m.mce = m.diagram.mce;
  m.classwise = classwise_calibration_error(f, y, options.bins);
  m.smooth_ece = smooth_ece(f.to(at::kDouble), y, options.beta).value.item<double>();
  m.nll = negative_log_likelihood(f, y);
  m.brier = brier_score(f, y);
  m.confidence = p.confidence.mean().item<double>();
  m.entropy = entropy(f).mean().item<double>();
  return m;
}

nlohmann::json to_json(const Measures& m) {
  nlohmann::json bins = nlohmann::json::array();
  for (int64_t b = 0; b < m.diagram.count.numel(); ++b) {
    bins.push_back({{"low", m.diagram.edges[b].item<double>()},
                    {"high", m.diagram.edges[b + 1].item<double>()},
                    {"count", m.diagram.count[b].item<int64_t>()},
                    {"accuracy", m.diagram.accuracy[b].item<double>()},
                    {"confidence", m.diagram.confidence[b].item<double>()}});
  }
  nlohmann::json json = {{"count", m.count}, {"bins", bins}};
  for (const MeasureField& field : measure_fields()) json[field.key] = m.*field.value;
  return json;
}

Measures measures_of(const nlohmann::json& json) {
  Measures m;
  m.count = json.at("count");
  for (const MeasureField& field : measure_fields()) m.*field.value = json.at(field.key);
  const nlohmann::json& bins = json.at("bins");
  std::vector<double> edges, accuracy, confidence;
  std::vector<int64_t> count;
  for (const auto& bin : bins) {
    if (edges.empty()) edges.push_back(bin.at("low"));
    edges.push_back(bin.at("high"));
    count.push_back(bin.at("count"));
    accuracy.push_back(bin.at("accuracy"));
    confidence.push_back(bin.at("confidence"));
  }
  m.diagram = {at::tensor(edges, at::kDouble),
               at::tensor(count, at::kLong),
               at::tensor(accuracy, at::kDouble),
               at::tensor(confidence, at::kDouble),
               m.ece,
               m.mce};
  return m;
}

}  // namespace sextant::calibration
