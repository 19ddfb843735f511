#include "sextant/runtime/noise.h"

#include <gtest/gtest.h>

namespace sextant {
namespace {

TEST(Noise, OfASampleDoesNotDependOnItsBatch) {
  const Tensor together = Noise(7, {0, 1, 2, 3, 4}, {3, 5, 7}).at_step(12);
  const Tensor alone = Noise(7, {3}, {3, 5, 7}).at_step(12);
  EXPECT_TRUE(together[3].equal(alone[0]));
}

TEST(Noise, IsTheSameTheSecondTimeAndAnotherForEverySeedSampleAndStep) {
  const Tensor once = Noise(7, {3}, {16}).at_step(12);
  EXPECT_TRUE(once.equal(Noise(7, {3}, {16}).at_step(12)));
  EXPECT_FALSE(once.equal(Noise(8, {3}, {16}).at_step(12)));
  EXPECT_FALSE(once.equal(Noise(7, {4}, {16}).at_step(12)));
  EXPECT_FALSE(once.equal(Noise(7, {3}, {16}).at_step(11)));
  EXPECT_FALSE(once.equal(Noise(7, {3}, {16}).initial()));
}

TEST(Noise, IsStandardNormal) {
  const Tensor draws = Noise(0, {0, 1, 2, 3}, {64, 64, 16}).initial().to(at::kDouble).flatten();
  const double n = static_cast<double>(draws.numel());
  EXPECT_NEAR(draws.mean().item<double>(), 0, 5 / std::sqrt(n));
  EXPECT_NEAR(draws.square().mean().item<double>(), 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(draws.pow(3).mean().item<double>(), 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(draws.pow(4).mean().item<double>(), 3, 5 * std::sqrt(96 / n));
}

TEST(Noise, OfNeighbouringSamplesIsUncorrelated) {
  const Tensor draws = Noise(0, {0, 1}, {1 << 16}).initial().to(at::kDouble);
  EXPECT_NEAR((draws[0] * draws[1]).mean().item<double>(), 0, 5.0 / 256);
}

TEST(RandomLabels, AreUniformAndKeyedByTheSample) {
  std::vector<int64_t> samples(20000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<int64_t>(i);
  const Tensor labels = uniform_labels(1, samples, 10);
  const Tensor counts = at::bincount(labels, {}, 10);
  EXPECT_EQ(counts.size(0), 10);
  EXPECT_GT(counts.min().item<int64_t>(), 1780);  // 2000 +- 5 standard deviations
  EXPECT_LT(counts.max().item<int64_t>(), 2220);
  EXPECT_EQ(uniform_labels(1, {123}, 10)[0].item<int64_t>(), labels[123].item<int64_t>());
}

}  // namespace
}  // namespace sextant
