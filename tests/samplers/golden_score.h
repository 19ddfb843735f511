// The scores of the reference's runs.
#pragma once

#include <nlohmann/json.hpp>

#include "sextant/guidance/score.h"

namespace sextant::testing {

/// "logp", "js", "tilted", "js_tilted", ... without its tilt.
inline guidance::ScoreFunction score_of(const nlohmann::json& config) {
  std::string name = config.at("score");
  if (name.rfind("tilted", 0) == 0 || name == "logp") name = "plain";
  guidance::ScoreConfig terms;
  terms.temperatures = {config.at("tau1"), config.at("tau2")};
  terms.divergence = {config.at("alpha"), config.at("epsilon")};
  terms.lambda_max = config.at("lambda_max");
  terms.lambda_min = config.at("lambda_min");
  return guidance::parse_score(name.substr(0, name.find("_tilted")), terms);
}

}  // namespace sextant::testing
