// Means of classifiers.
#include "classifiers/toy.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::classifiers {
namespace {

using guidance::Classifier;
using testing::Tolerance;

TEST(Ensemble, AveragesLogProbabilities) {
  at::manual_seed(2);
  const Tensor x = at::rand({4, 2, 3, 3}, at::kDouble);
  const Classifier a = means({1, 2, 0, 1, -3, 1}, 3);
  const Classifier b = means({0, 1, 2, -2, 5, 1}, 3);
  const Tensor expected = (at::log_softmax(a.logits(x, {}), 1) + at::log_softmax(b.logits(x, {}), 1)) / 2;
  const Classifier both = ensemble({a, b});
  EXPECT_EQ(both.classes, 3);
  EXPECT_TENSOR_NEAR(both.logits(x, {}), expected, (Tolerance{1e-14, 0}));
}

TEST(Ensemble, OfOneIsThatOneAndOfStrangersIsRefused) {
  const Classifier a = means({1, 2, 3, 4}, 2);
  const Tensor x = at::rand({4, 2, 3, 3}, at::kDouble);
  EXPECT_TRUE(at::equal(ensemble({a}).logits(x), a.logits(x)));
  EXPECT_EQ(testing::message_of<UsageError>([&] {
              ensemble({a, means({1, 2, 3}, 3)});
            }),
            "ensemble: classifier 2 has 3 classes but the first has 2; give classifiers of the same classes");
  EXPECT_EQ(testing::message_of<UsageError>([&] {
              ensemble({a, means({1, 2, 3, 4}, 2, true)});
            }),
            "ensemble: some classifiers are noise-aware and some read clean images; give those of one kind");
  EXPECT_THROW(ensemble({}), UsageError);
}

}  // namespace
}  // namespace sextant::classifiers
