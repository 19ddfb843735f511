// The table of the terms that scores are named by: all that is said about one, in one place.
#pragma once

#include <string>
#include <vector>

#include "sextant/guidance/named_score.h"

namespace sextant::guidance {

struct ScoreTerm {
  std::string word;                   ///< in a score's name: "js"
  std::string name;                   ///< "Jensen-Shannon"
  std::string equation;               ///< what it adds to S, in the notation of docs/methods.md
  std::vector<std::string> settings;  ///< that it reads, named as options are, in ScoreConfig's order
  std::string source;                 ///< paper or equation
  std::string cost;                   ///< beside plain guidance
  Score (*score)(const Tensor& f, const Tensor& y, const Step& step, const ScoreConfig& config);
};

/// All of them, in kScoreWords' order; the first is plain, which every score holds.
const std::vector<ScoreTerm>& score_terms();

/// Their words.
std::vector<std::string> score_words();

/// The terms that a name adds up, plain first. UsageError as parse_score().
std::vector<const ScoreTerm*> terms_of(const std::string& name);

}  // namespace sextant::guidance
