#include <nlohmann/json.hpp>

#include "sextant/evaluation/evaluate.h"

namespace sextant::evaluation {

nlohmann::json to_json(const Evaluation& evaluation) {
  nlohmann::json json;
  json["protocol"] = name_of(evaluation.protocol);
  if (!evaluation.extractor.empty()) {
    json["extractor"] = {
        {"name", evaluation.extractor}, {"hash", evaluation.extractor_hash}, {"dimensions", evaluation.dimensions}};
  }
  if (!evaluation.classifier.empty()) json["classifier"] = evaluation.classifier;
  json["samples"] = {
      {"source", evaluation.sample_source}, {"count", evaluation.sample_count}, {"skipped", evaluation.skipped}};
  if (!evaluation.reference_source.empty()) json["reference"] = {{"source", evaluation.reference_source}};
  // Published statistics do not say how many images are behind them.
  if (evaluation.reference_count > 0) json["reference"]["count"] = evaluation.reference_count;
  for (const Measure& measure : evaluation.measures) {
    nlohmann::json entry = {{"value", measure.value}};
    if (measure.deviation) entry["standard_deviation"] = *measure.deviation;
    if (measure.interval) {
      entry["low"] = measure.interval->low;
      entry["high"] = measure.interval->high;
      entry["level"] = evaluation.level;
    }
    json["metrics"][measure.key] = entry;
  }
  if (evaluation.classes) {
    for (int64_t k = 0; k < evaluation.classes->count.numel(); ++k) {
      json["classes"].push_back({{"class", k},
                                 {"count", evaluation.classes->count[k].item<int64_t>()},
                                 {"accuracy", evaluation.classes->accuracy[k].item<double>()}});
    }
  }
  json["notes"] = evaluation.notes;
  return json;
}

}  // namespace sextant::evaluation
