#include <numeric>

#include "sextant/training/objectives.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using namespace training;

std::vector<int64_t> numbers(int64_t first, int64_t count) {
  std::vector<int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

TEST(Timesteps, AreAFunctionOfSeedAndNumber) {
  const TimestepSampler sampler(Timesteps::kUniform, 1000, 7);
  const Tensor all = sampler.draw(numbers(0, 20)).t;
  EXPECT_TRUE(sampler.draw(numbers(10, 10)).t.equal(all.narrow(0, 10, 10)));
  EXPECT_FALSE(TimestepSampler(Timesteps::kUniform, 1000, 8).draw(numbers(0, 20)).t.equal(all));
}

TEST(Timesteps, UniformOnesCoverAllSteps) {
  const Tensor t = TimestepSampler(Timesteps::kUniform, 10, 0).draw(numbers(0, 20000)).t;
  const Tensor counts = at::bincount(t, {}, 10).to(at::kDouble);
  EXPECT_EQ(counts.numel(), 10);
  EXPECT_LT((counts - 2000).abs().max().item<double>(), 5 * std::sqrt(2000));
}

TEST(Timesteps, StratifiedOnesFallIntoEveryPartOnce) {
  const Tensor t = TimestepSampler(Timesteps::kStratified, 1000, 3).draw(numbers(50, 10)).t;
  EXPECT_TRUE(t.floor_divide(100).equal(at::arange(10, at::kLong))) << t;
}

TEST(Timesteps, OfAPartOfABatchAreThoseOfTheWhole) {
  const TimestepSampler sampler(Timesteps::kStratified, 1000, 3);
  const Tensor whole = sampler.draw(numbers(50, 10), 10).t;
  EXPECT_TRUE(whole.equal(sampler.draw(numbers(50, 10)).t));
  EXPECT_TRUE(sampler.draw(numbers(53, 4), 10).t.equal(whole.narrow(0, 3, 4)));
}

TEST(LossSecondMoment, IsUniformUntilEveryStepHasItsHistory) {
  TimestepSampler sampler(Timesteps::kLossSecondMoment, 4, 0);
  for (int i = 0; i < 9; ++i) sampler.note(at::arange(4, at::kLong), at::ones({4}));
  EXPECT_TRUE(sampler.draw(numbers(0, 100)).weights.equal(at::ones({100})));
}

TEST(LossSecondMoment, SamplesByTheRootMeanSquareAndStaysUnbiased) {
  TimestepSampler sampler(Timesteps::kLossSecondMoment, 4, 0);
  const Tensor losses = at::tensor({1.0f, 2.0f, 3.0f, 4.0f});
  // The first notes must be forgotten: only the last ten count.
  for (int i = 0; i < 3; ++i) sampler.note(at::arange(4, at::kLong), 100 * at::ones({4}));
  for (int i = 0; i < 10; ++i) sampler.note(at::arange(4, at::kLong), losses);
  const int64_t count = 40000;
  const TimestepSampler::Drawn drawn = sampler.draw(numbers(0, count));
  const Tensor p = losses.to(at::kDouble) / 10 * 0.999 + 0.001 / 4;
  const Tensor shares = at::bincount(drawn.t, {}, 4).to(at::kDouble) / count;
  EXPECT_TENSOR_NEAR(shares, p, (Tolerance{0.01, 0}));
  EXPECT_TENSOR_NEAR(drawn.weights, (1 / (4 * p)).index_select(0, drawn.t), (Tolerance{1e-5, 0}));
  EXPECT_NEAR(drawn.weights.mean().item<double>(), 1, 0.02);
}

}  // namespace
}  // namespace sextant::testing
