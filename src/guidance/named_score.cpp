#include <algorithm>

#include "blocks.h"
#include "check.h"
#include "internal/guidance/score_terms.h"
#include "internal/runtime/text.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

std::string advice(const std::string& word) {
  if (word == "none") return " To sample without guidance, use no guide.";
  if (word.starts_with("tilt")) return " The tilt is a setting of its own and goes with every score.";
  return did_you_mean(word, score_words());
}

const ScoreTerm& find_term(const std::string& word, const std::string& name) {
  for (const ScoreTerm& term : kScoreTerms) {
    if (term.word == word) return term;
  }
  throw UsageError("score '" + name + "': '" + word + "' is not a term; expected " + joined(score_words(), ", ") +
                   " or a sum such as js+entropy." + advice(word));
}

void check_config(const ScoreConfig& config) {
  check_temperatures("score", config.temperatures);
  check_divergence("score", config.divergence);
  kDivergenceOrder.check("score", "divergence-order", config.divergence_order);
  ScoreConfig::kLambda.check("score", "lambda-min", config.lambda_min);
  Range{config.lambda_min, ScoreConfig::kLambda.high}.check("score", "lambda-max", config.lambda_max);
}

/// What a term refuses, it refuses before the first step: a call on the smallest logits that fit the target.
void try_out(const ScoreFunction& score, const Tensor& target) {
  const bool given = target.defined() && target.dim() > 0;
  score(at::zeros({given && target.dim() > 1 ? target.size(0) : 1, given ? target.size(-1) : 2}),
        at::zeros({given && target.dim() > 1 ? target.size(0) : 1}, at::kLong), Step{});
}

}  // namespace

std::vector<std::string> score_words() {
  std::vector<std::string> words;
  for (const ScoreTerm& term : kScoreTerms) words.emplace_back(term.word);
  return words;
}

std::vector<const ScoreTerm*> terms_of(const std::string& name) {
  const ScoreTerm* const plain = &kScoreTerms[0];
  std::vector<const ScoreTerm*> terms = {plain};
  for (const std::string& word : split(name, '+')) {
    const ScoreTerm* const term = &find_term(trimmed(word), name);
    if (term == plain) continue;
    if (std::find(terms.begin(), terms.end(), term) != terms.end()) {
      throw UsageError("score '" + name + "': '" + term->word + "' appears twice; raise its weight instead.");
    }
    terms.push_back(term);
  }
  return terms;
}

ScoreFunction named_score(ScoreName name, const ScoreConfig& config) {
  return parse_score(std::string(name.text()), config);
}

ScoreFunction parse_score(const std::string& name, const ScoreConfig& config) {
  check_config(config);
  std::vector<ScoreFunction> scores;
  for (const ScoreTerm* term : terms_of(name)) {
    scores.push_back([score = term->score, config](const Tensor& f, const Tensor& y, const Step& step) {
      return score(f, y, step, config);
    });
    try_out(scores.back(), config.divergence.target);
  }
  if (config.divergence.target.defined() && config.divergence.target.dim() > 1) return sum(std::move(scores));
  return [all = sum(std::move(scores))](const Tensor& f, const Tensor& y, const Step& step) {
    return in_blocks(f, y, [&](const Tensor& rows, const Tensor& labels) { return all(rows, labels, step); });
  };
}

}  // namespace sextant::guidance
