#include <numeric>

#include "sextant/runtime/error.h"
#include "sextant/training/objectives.h"
#include "support/errors.h"
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

TEST(Timesteps, OfAValidationLieEvenlyInEveryStretchOfImages) {
  for (const int64_t first : {0, 333, 1'000'000}) {
    const Tensor t = spread_timesteps(first, 200, 1000);
    EXPECT_GE(t.min().item<int64_t>(), 0);
    EXPECT_LT(t.max().item<int64_t>(), 1000);
    const Tensor counts = at::bincount(t.floor_divide(100), {}, 10);
    EXPECT_LE((counts - 20).abs().max().item<int64_t>(), 2) << counts;
  }
  EXPECT_TRUE(spread_timesteps(7, 5, 10).equal(spread_timesteps(0, 12, 10).narrow(0, 7, 5)));
}

/// These losses of t = 0 to 3.
void note(TimestepSampler& sampler, const Tensor& losses) {
  sampler.note(numbers(0, 4), at::arange(4, at::kLong), losses);
  sampler.end_batch([](const Tensor& rows) { return rows; });
}

TEST(LossSecondMoment, IsUniformUntilEveryStepHasItsHistory) {
  TimestepSampler sampler(Timesteps::kLossSecondMoment, 4, 0);
  for (int i = 0; i < 9; ++i) note(sampler, at::ones({4}));
  EXPECT_TRUE(sampler.draw(numbers(0, 100)).weights.equal(at::ones({100})));
}

TEST(LossSecondMoment, RefusesAStateOfMoreLossesThanItKeeps) {
  for (const int64_t count : {int64_t{-1}, int64_t{11}, int64_t{1} << 40}) {
    TimestepSampler sampler(Timesteps::kLossSecondMoment, 4, 0);
    sampler.counts[2].fill_(count);
    EXPECT_EQ(message_of<CheckpointError>([&] { note(sampler, at::ones({4})); }),
              "the training's state is damaged: of timestep 2 it has " + std::to_string(count) +
                  " losses, which are 0 to 10");
  }
}

TEST(LossSecondMoment, SamplesByTheRootMeanSquareAndStaysUnbiased) {
  TimestepSampler sampler(Timesteps::kLossSecondMoment, 4, 0);
  const Tensor losses = at::tensor({1.0f, 2.0f, 3.0f, 4.0f});
  // The first notes must be forgotten: only the last ten count.
  for (int i = 0; i < 3; ++i) note(sampler, 100 * at::ones({4}));
  for (int i = 0; i < 10; ++i) note(sampler, losses);
  const int64_t count = 40000;
  const TimestepSampler::Drawn drawn = sampler.draw(numbers(0, count));
  const Tensor p = losses.to(at::kDouble) / 10 * 0.999 + 0.001 / 4;
  const Tensor shares = at::bincount(drawn.t, {}, 4).to(at::kDouble) / count;
  EXPECT_TENSOR_NEAR(shares, p, (Tolerance{0.01, 0}));
  EXPECT_TENSOR_NEAR(drawn.weights, (1 / (4 * p)).index_select(0, drawn.t), (Tolerance{1e-5, 0}));
  EXPECT_NEAR(drawn.weights.mean().item<double>(), 1, 0.02);
}

/// What a sampler would give the other processes.
Tensor noted(const TimestepSampler& sampler) {
  Tensor all;
  TimestepSampler(sampler).end_batch([&](const Tensor& rows) {
    all = rows;
    return rows.slice(0, 0, 0);
  });
  return all;
}

TEST(LossSecondMoment, OfPartsAndProcessesIsThatOfTheWholeBatch) {
  const auto sampler = [] { return TimestepSampler(Timesteps::kLossSecondMoment, 3, 0); };
  TimestepSampler whole = sampler(), first = sampler(), second = sampler();
  for (int batch = 0; batch < 3; ++batch) {
    const auto number = numbers(8 * batch, 8);
    const Tensor t = at::tensor({0, 2, 2, 1, 0, 0, 2, 1}, at::kLong);  // one step twice: the order counts
    const Tensor losses = at::arange(8 * batch, 8 * batch + 8, at::kFloat);
    const auto part = [&](TimestepSampler& of, int64_t begin, int64_t end) {
      of.note({number.begin() + begin, number.begin() + end}, t.slice(0, begin, end), losses.slice(0, begin, end));
    };
    part(whole, 0, 8);
    whole.end_batch([](const Tensor& rows) { return rows; });
    // The second process takes the first half of the batch, in two parts.
    part(first, 4, 8);
    part(second, 0, 1);
    part(second, 1, 4);
    const Tensor of_first = noted(first);
    const Tensor of_second = noted(second);
    const auto gather = [&](const Tensor&) { return at::cat({of_first, of_second}); };
    first.end_batch(gather);
    second.end_batch(gather);
  }
  for (const TimestepSampler& one : {first, second}) {
    EXPECT_TRUE(one.history.equal(whole.history)) << one.history << whole.history;
    EXPECT_TRUE(one.counts.equal(whole.counts));
  }
}

}  // namespace
}  // namespace sextant::testing
