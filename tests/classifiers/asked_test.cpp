#include "classifiers/toy.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {
namespace {

TEST(Asked, TurnsLogitsRoundWhereTheAnswerIsToBeNo) {
  const guidance::Classifier judge = asked(means({1, 2, 3}, 3), at::tensor({1.0, -1.0, 0.0}).view({1, 3}));
  const Tensor x = at::full({2, 1, 4, 4}, 0.5, at::kDouble);
  const Tensor expected = at::tensor({0.5, -1.0, 0.0}, at::kDouble).expand({2, 3});
  EXPECT_TRUE(judge.logits(x).equal(expected));
  EXPECT_EQ(judge.classes, 3);
}

TEST(Asked, HasARowForEachImageInTurn) {
  const Tensor answers = at::tensor({1.0, 1.0, -1.0, 1.0, 0.0, -1.0}).view({3, 2});
  const guidance::Classifier judge = asked(means({1, 1}, 2), answers);
  const Tensor x = at::ones({3, 1, 2, 2}, at::kDouble);
  // Images 5, 0 and 7: rows 2, 0 and 1.
  EXPECT_TRUE(judge.logits(x, {}, {0, {5, 0, 7}})
                  .equal(answers.index_select(0, at::tensor({2, 0, 1}, at::kLong)).to(at::kDouble)));
}

TEST(Asked, RefusesAnswersToOtherAttributes) { EXPECT_THROW(asked(means({1, 1}, 2), at::ones({1, 3})), ShapeError); }

}  // namespace
}  // namespace sextant::classifiers
