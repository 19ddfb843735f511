// Scores by name: named_score("js+entropy").
#pragma once

#include <initializer_list>
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

/// A term that names are made of: all that is said about it, in one place.
struct ScoreTerm {
  const char* word;                             ///< in a score's name: "js"
  const char* name;                             ///< "Jensen-Shannon"
  const char* equation;                         ///< what it adds to S, in the notation of docs/methods.md
  std::initializer_list<const char*> settings;  ///< that it reads, named as options are, in ScoreConfig's order
  const char* source;                           ///< paper or equation
  const char* cost;                             ///< beside plain guidance
  Score (*score)(const Tensor& f, const Tensor& y, const Step& step, const ScoreConfig& config);
};

/// The words that names are made of, and what each stands for; docs/methods.md says the same. The first is plain, which
/// every score holds.
// A new score is its function and a row here.
inline constexpr ScoreTerm kScoreTerms[] = {
    {"plain",
     "plain",
     "tau1 f_y - logsumexp(tau2 f); log p_y at the temperatures 1, 1",
     {"joint-temperature", "marginal-temperature"},
     "Dhariwal & Nichol 2021; the temperatures Ma et al. 2023",
     "-",
     [](auto& f, auto& y, auto&, auto& c) { return log_prob(f, y, c.temperatures); }},
    {"entropy",
     "entropy",
     "+ lambda_t H(p), lambda falling along the steps",
     {"lambda-max", "lambda-min", "lambda-shape"},
     "Javid et al. 2025, Prop. 1",
     "a softmax",
     [](auto& f, auto&, auto& step, auto& c) {
       return entropy(f, entropy_weight(step, c.lambda_max, c.lambda_min, c.lambda_shape));
     }},
    {"rkl",
     "reverse KL",
     "- alpha KL(q_y || p)",
     {"alpha", "epsilon"},
     "Cor. 1",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return reverse_kl(f, y, c.divergence); }},
    {"fkl",
     "forward KL",
     "- alpha KL(p || q_y)",
     {"alpha", "epsilon"},
     "Cor. 2",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return forward_kl(f, y, c.divergence); }},
    {"js",
     "Jensen-Shannon",
     "- alpha (KL(q_y || m) + KL(p || m))/2, m = (q_y + p)/2",
     {"alpha", "epsilon", "js-form"},
     "eq. (14), Cor. 3",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return jensen_shannon(f, y, c.divergence, c.js_form); }},
    {"hellinger",
     "squared Hellinger",
     "- alpha sum (sqrt q_y - sqrt p)^2",
     {"alpha", "epsilon"},
     "Cor. 4",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return hellinger(f, y, c.divergence); }},
    {"chi2",
     "Pearson chi-squared",
     "- alpha sum (p - q_y)^2/q_y",
     {"alpha", "epsilon"},
     "appendix A; Dieng et al. 2017",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return chi2(f, y, c.divergence); }},
    {"alpha-div",
     "alpha-divergence of order a",
     "- alpha (sum p^a q_y^(1-a) - 1)/(a (a - 1))",
     {"alpha", "epsilon", "divergence-order"},
     "appendix A; Amari 1985; Li & Turner 2016",
     "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return alpha_divergence(f, y, c.divergence, c.divergence_order); }},
};

/// Whether `name` is one of the words or a sum of them, blanks around each allowed.
constexpr bool is_score_name(std::string_view name) {
  const std::string_view::size_type plus = name.find('+');
  std::string_view first = name.substr(0, plus);
  while (first.starts_with(' ')) first.remove_prefix(1);
  while (first.ends_with(' ')) first.remove_suffix(1);
  for (const ScoreTerm& term : kScoreTerms) {
    if (first == term.word) return plus == name.npos || is_score_name(name.substr(plus + 1));
  }
  return false;
}

/// A name that is written in the program: a misspelt one does not compile. Text that is known only when the program
/// runs goes to parse_score().
class ScoreName {
 public:
  consteval ScoreName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor): stands for its literal
    if (!is_score_name(name)) throw "a score's name is one of kScoreTerms' words, or a sum of them such as js+entropy";
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
