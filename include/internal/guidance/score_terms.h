// The terms that a score's name adds up.
#pragma once

#include <string>
#include <vector>

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// The words of kScoreTerms.
std::vector<std::string> score_words();

/// The terms that a name adds up, plain first. UsageError as parse_score().
std::vector<const ScoreTerm*> terms_of(const std::string& name);

}  // namespace sextant::guidance
