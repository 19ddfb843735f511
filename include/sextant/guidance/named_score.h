// Scores by name, as recipes and the command line give them.
#pragma once

#include <string>
#include <vector>

#include "sextant/guidance/divergence.h"
#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// All that the named scores read; each of them reads its own part (docs/methods.md).
struct ScoreConfig {
  Temperatures temperatures;
  Divergence divergence;
  JensenShannonForm js_form = JensenShannonForm::kEquation14;
  double divergence_order = 0.5;  ///< of the alpha-divergence, in [0, 2]
  double lambda_max = 0.2;        ///< entropy's weight at the first step, at least lambda_min
  double lambda_min = 0.05;       ///< and at the last, at least 0
};

/// The words that named_score() knows.
const std::vector<std::string>& score_names();

/// The score of a name such as "plain", "js" or "js+entropy": log_prob plus the terms named, "plain" adding none.
/// UsageError for an unknown or repeated word, and for settings out of range or at which one of the terms is infinite.
ScoreFunction named_score(const std::string& name, const ScoreConfig& config = {});

}  // namespace sextant::guidance
