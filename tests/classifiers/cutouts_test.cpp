// Random views of images, classified together.
#include <set>
#include <thread>

#include "classifiers/toy.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::classifiers {
namespace {

using guidance::Classifier;
using testing::Tolerance;

class CutOuts : public ::testing::Test {
 protected:
  Classifier make(int64_t count, double min_share) { return cut_out(inner_, {count, min_share, 6, Resize::kBilinear}); }

  Classifier inner_ = means({1, 2, -1, 0.5, 3, -2}, 3);
  SampleIds ids_ = {7, {4, 5, 6}};
  Tensor x_ = (at::manual_seed(3), at::rand({3, 2, 12, 10}, at::kDouble));
  Tensor t_ = at::full({3}, 250, at::kLong);
};

TEST_F(CutOuts, OfTheWholeImageAreTheImage) {
  const Tensor square = x_.narrow(2, 0, 10);
  const Tensor expected = inner_.logits(resized(square, 6, 6, Resize::kBilinear), {});
  EXPECT_TENSOR_NEAR(make(3, 1).logits(square, t_, ids_), expected, (Tolerance{1e-13, 0}));
}

TEST_F(CutOuts, AreMeansOverSquaresOfTheImage) {
  // On the image whose pixels are their own row, column numbers, the mean of a view is its middle: inside the image.
  const Tensor rows = at::arange(12, at::kDouble).view({1, 1, 12, 1}).expand({1, 1, 12, 10});
  const Tensor columns = at::arange(10, at::kDouble).view({1, 1, 1, 10}).expand({1, 1, 12, 10});
  const Classifier place = cut_out(means({1, 0, 0, 1}, 2), {1, 0.5, 0, Resize::kArea});
  std::set<std::pair<double, double>> middles;
  for (int64_t t = 0; t < 200; ++t) {
    const Tensor image = at::cat({rows, columns}, 1).expand({3, 2, 12, 10}).contiguous();
    const Tensor f = place.logits(image, at::full({3}, t, at::kLong), ids_);
    for (int64_t n = 0; n < 3; ++n) {
      const double row = f[n][0].item<double>(), column = f[n][1].item<double>();
      EXPECT_TRUE(row >= 2 && row <= 9 && column >= 2 && column <= 7) << row << " " << column;
      middles.insert({row, column});
    }
  }
  EXPECT_GT(middles.size(), 50u);  // of sides 5 to 10 at every place
}

TEST_F(CutOuts, DependOnSampleTimeAndSeedButNotOnTheBatch) {
  const Classifier classifier = make(4, 0.3);
  const Tensor together = classifier.logits(x_, t_, ids_);
  EXPECT_TRUE(at::equal(classifier.logits(x_, t_, ids_), together));
  for (int64_t n = 0; n < 3; ++n) {
    EXPECT_TENSOR_NEAR(classifier.logits(x_.narrow(0, n, 1), t_.narrow(0, n, 1), {7, {4 + n}}),
                       together.narrow(0, n, 1), (Tolerance{1e-14, 0}));
  }
  EXPECT_FALSE(at::allclose(classifier.logits(x_, t_ + 1, ids_), together));
  const Tensor other = classifier.logits(x_, t_, {7, {4, 5, 9}});
  EXPECT_TENSOR_NEAR(other.narrow(0, 0, 2), together.narrow(0, 0, 2), (Tolerance{1e-14, 0}));
  EXPECT_FALSE(at::allclose(other[2], together[2]));
  EXPECT_FALSE(at::allclose(classifier.logits(x_, t_, {8, {4, 5, 6}}), together));
}

TEST_F(CutOuts, GiveCopiesOfASampleViewsOfTheirOwn) {
  const Tensor f = make(2, 0.3).logits(x_.narrow(0, 0, 1).expand({3, 2, 12, 10}), t_, {7, {4}});
  EXPECT_FALSE(at::allclose(f[0], f[1]));
  EXPECT_FALSE(at::allclose(f[1], f[2]));
  EXPECT_THROW(make(2, 0.3).logits(x_, t_, {7, {4, 5}}), ShapeError);
}

TEST_F(CutOuts, AreEachThreadsOwnWhenThreadsShareOneClassifier) {
  const Classifier classifier = make(4, 0.3);
  const std::vector<SampleIds> ids = {{7, {4, 5, 6}}, {7, {10, 11, 12}}};
  std::vector<Tensor> alone;
  for (const SampleIds& own : ids) alone.push_back(classifier.logits(x_, t_, own));
  ASSERT_FALSE(at::allclose(alone[0], alone[1]));
  std::vector<int> strange(ids.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round) strange[i] += !at::equal(classifier.logits(x_, t_, ids[i]), alone[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(strange, (std::vector<int>{0, 0}));
}

TEST_F(CutOuts, CarryTheGradient) {
  const Classifier classifier = make(5, 0.2);
  const Tensor y = at::tensor({0, 1, 2}, at::kLong);
  const Tensor gradient = log_prob_gradient(classifier, x_, y, t_, ids_);
  const Tensor step = at::randn_like(x_) * 1e-6;
  const auto value = [&](const Tensor& at) {
    return at::log_softmax(classifier.logits(at, t_, ids_), 1).gather(1, y.unsqueeze(1)).sum().item<double>();
  };
  EXPECT_NEAR((gradient * step).sum().item<double>(), (value(x_ + step) - value(x_ - step)) / 2, 1e-12);
}

TEST_F(CutOuts, NeedAShareOfTheImage) {
  EXPECT_THROW(make(0, 0.5), UsageError);
  EXPECT_THROW(make(1, 0), UsageError);
  EXPECT_THROW(make(1, 1.5), UsageError);
  EXPECT_NO_THROW(make(1, 1));
}

}  // namespace
}  // namespace sextant::classifiers
