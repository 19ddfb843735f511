#include "sextant/guidance/score.h"

#include <algorithm>

#include "sextant/runtime/error.h"

namespace sextant::guidance {

Score operator+(const Score& a, const Score& b) { return {a.value + b.value, a.gradient + b.gradient}; }

ScoreFunction sum(std::vector<ScoreFunction> scores) {
  if (scores.empty() || !std::all_of(scores.begin(), scores.end(), [](const auto& score) { return bool(score); })) {
    throw UsageError("sum: expected one score or more, got none or an empty function.");
  }
  return [scores = std::move(scores)](const Tensor& f, const Tensor& y, const Step& step) {
    Score sum = scores.front()(f, y, step);
    for (std::size_t i = 1; i < scores.size(); ++i) sum = sum + scores[i](f, y, step);
    return sum;
  };
}

}  // namespace sextant::guidance
