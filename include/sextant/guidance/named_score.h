// Scores by name: named_score("js+entropy").
#pragma once

#include <string>
#include <string_view>

#include "sextant/guidance/divergence.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/range.h"

namespace sextant::guidance {

/// All that the named scores read; each of them reads its own part (docs/methods.md).
struct ScoreConfig {
  Temperatures temperatures;
  Divergence divergence;
  JensenShannonForm js_form = JensenShannonForm::kEquation14;
  double divergence_order = 0.5;  ///< of the alpha-divergence, in kDivergenceOrder
  double lambda_max = 0.2;        ///< entropy's weight at the first step, at least lambda_min
  double lambda_min = 0.05;       ///< and at the last
  static constexpr Range kLambda{0, 100};
  LambdaShape lambda_shape = LambdaShape::kLinear;  ///< in between
};

/// The words that names are made of; docs/methods.md says what each stands for.
inline constexpr std::string_view kScoreWords[] = {"plain", "entropy",   "rkl",  "fkl",
                                                   "js",    "hellinger", "chi2", "alpha-div"};

/// Whether `name` is one of the words or a sum of them, blanks around each allowed.
constexpr bool is_score_name(std::string_view name) {
  const std::string_view::size_type plus = name.find('+');
  std::string_view first = name.substr(0, plus);
  while (first.starts_with(' ')) first.remove_prefix(1);
  while (first.ends_with(' ')) first.remove_suffix(1);
  for (const std::string_view word : kScoreWords) {
    if (first == word) return plus == name.npos || is_score_name(name.substr(plus + 1));
  }
  return false;
}

/// A name that is written in the program: a misspelt one does not compile. Text that is known only when the program
/// runs goes to parse_score().
class ScoreName {
 public:
  consteval ScoreName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor): stands for its literal
    if (!is_score_name(name)) throw "a score's name is one of kScoreWords, or a sum of them such as js+entropy";
  }
  constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

/// The score of a name such as "plain", "js" or "js+entropy": log_prob plus the terms named, "plain" adding none.
/// UsageError for a repeated word, and for settings out of range or at which one of the terms is infinite.
ScoreFunction named_score(ScoreName name, const ScoreConfig& config = {});

/// The same of text that a user gave: UsageError for an unknown word too, which names the nearest.
ScoreFunction parse_score(const std::string& name, const ScoreConfig& config = {});

}  // namespace sextant::guidance
