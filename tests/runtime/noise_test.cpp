#include "sextant/runtime/noise.h"

#include <gtest/gtest.h>

#include "internal/runtime/cuda.h"
#include "internal/runtime/philox.h"
#include "sextant/runtime/error.h"
#include "support/device.h"

namespace sextant {
namespace {

/// The known answers that Random123 ships with (kat_vectors, philox4x32 10).
TEST(Philox, GivesItsPublishedAnswers) {
  const auto answer = [](philox::Block counter, uint64_t key) {
    const philox::Block b = philox::block(counter, key);
    return std::vector<uint32_t>{b.word[0], b.word[1], b.word[2], b.word[3]};
  };
  EXPECT_EQ(answer({{0, 0, 0, 0}}, 0), (std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(answer({{~0U, ~0U, ~0U, ~0U}}, ~uint64_t{0}),
            (std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(answer({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822),
            (std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// What the threads of a card do, one after the other.
TEST(NoiseOnACard, IsTheNoiseOfTheCpu) {
  const std::vector<int64_t> samples = {5, 0, 1234567890123};
  const int64_t count = 3 * 5 * 3;  // no multiple of four
  Tensor normal = at::full({3, count}, NAN), uniform = at::full({3, count}, NAN);
  for (int64_t at = 0; at < 3 * ((count + 3) / 4); ++at) {
    philox::fill_at<philox::four_normals>(at, normal.data_ptr<float>(), samples.data(), count, 7, 12);
    philox::fill_at<philox::four_uniforms>(at, uniform.data_ptr<float>(), samples.data(), count, 7, 12);
  }
  const Noise noise(7, samples, {3, 5, 3});
  EXPECT_TRUE(normal.view({3, 3, 5, 3}).equal(noise.normal(12)));
  EXPECT_TRUE(uniform.view({3, 3, 5, 3}).equal(noise.uniform(12)));
}

TEST(NoiseOnACard, DiffersByTheLastBitAtMost) {
  if (!testing::test_device().is_cuda() || !own_cuda_kernels()) {
    GTEST_SKIP() << "needs SEXTANT_TEST_DEVICE=cuda, SEXTANT_CUDA_KERNELS=1 and a build with SEXTANT_CUDA";
  }
  const std::vector<int64_t> samples = {3, 99, 7};
  const Noise here(7, samples, {3, 64, 64}), there(7, samples, {3, 64, 64}, testing::test_device());
  EXPECT_TRUE(there.uniform(4).cpu().equal(here.uniform(4)));
  const Tensor a = there.normal(4).cpu(), b = here.normal(4);
  const Tensor bits = (a.view(at::kInt) - b.view(at::kInt)).abs();
  EXPECT_LE(bits.max().item<int64_t>(), 1);
  EXPECT_GT((bits == 0).to(at::kDouble).mean().item<double>(), 0.99);
}

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
  EXPECT_THROW(uniform_labels(1, {0}, 0), UsageError);
}

}  // namespace
}  // namespace sextant
