#include "sextant/guidance/score.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

std::string shape_of(const Tensor& x) { return x.defined() ? c10::str(x.sizes()) : "nothing"; }

}  // namespace

Score operator+(const Score& a, const Score& b) {
  for (const auto& [left, right] : {std::pair(a.value, b.value), std::pair(a.gradient, b.gradient)}) {
    if (!left.defined() || !right.defined() || left.sizes() != right.sizes()) {
      throw ShapeError(c10::str("sum: expected scores [N] with gradients [N, K] to add, got ", shape_of(left), " and ",
                                shape_of(right)));
    }
  }
  return {a.value + b.value, a.gradient + b.gradient};
}

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
