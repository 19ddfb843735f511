#include <nlohmann/json.hpp>

#include "sextant/calibration/calibration.h"

namespace sextant::calibration {

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
  return {{"count", m.count},
          {"accuracy", m.accuracy},
          {"ece", m.ece},
          {"ece_mass", m.ece_mass},
          {"mce", m.mce},
          {"classwise_ece", m.classwise},
          {"smooth_ece", m.smooth_ece},
          {"nll", m.nll},
          {"brier", m.brier},
          {"mean_confidence", m.confidence},
          {"mean_entropy", m.entropy},
          {"bins", bins}};
}

}  // namespace sextant::calibration
