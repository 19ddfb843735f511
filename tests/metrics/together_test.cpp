// Numbers that several processes compute together, here threads that add up as processes do.
#include <ATen/CPUGeneratorImpl.h>

#include <barrier>
#include <thread>

#include "sextant/metrics/metrics.h"
#include "support/golden.h"

namespace sextant::metrics {
namespace {

Tensor normal(int64_t rows, int64_t width, uint64_t seed) {
  return at::randn({rows, width}, at::detail::createCPUGenerator(seed), at::kDouble);
}

/// Runs `work` once as each of `size` processes.
void together(int64_t size, const std::function<void(const Together&)>& work) {
  std::vector<Tensor> given(static_cast<std::size_t>(size));
  std::barrier<> meeting(size);
  std::vector<std::thread> processes;
  for (int64_t rank = 0; rank < size; ++rank) {
    processes.emplace_back([&, rank] {
      const auto sum = [&, rank](const Tensor& x) {
        given[static_cast<std::size_t>(rank)] = x.clone();
        meeting.arrive_and_wait();
        x.zero_();
        for (const Tensor& part : given) x.add_(part);
        meeting.arrive_and_wait();
      };
      work({rank, size, sum});
    });
  }
  for (std::thread& process : processes) process.join();
}

class TogetherOf : public ::testing::TestWithParam<int64_t> {};

TEST_P(TogetherOf, PrecisionAndRecallAreThoseOfOneToTheBit) {
  const Tensor reference = normal(310, 6, 1), sample = normal(205, 6, 2) * 0.8 + 0.3;
  const PrecisionRecall alone = precision_recall(reference, sample, 3);
  EXPECT_GT(alone.precision, 0.1);
  EXPECT_LT(alone.recall, 0.95);
  together(GetParam(), [&](const Together& processes) {
    const PrecisionRecall shared = precision_recall(reference, sample, 3, processes);
    EXPECT_TRUE(shared.radii_squared_reference.equal(alone.radii_squared_reference));
    EXPECT_TRUE(shared.radii_squared_sample.equal(alone.radii_squared_sample));
    EXPECT_TRUE(shared.sample_in_reference.equal(alone.sample_in_reference));
    EXPECT_TRUE(shared.reference_in_sample.equal(alone.reference_in_sample));
    EXPECT_EQ(shared.f_score, alone.f_score);
  });
}

TEST_P(TogetherOf, DensityAndCoverageAreThoseOfOne) {
  const Tensor reference = normal(130, 4, 3), sample = normal(90, 4, 4) * 0.7;
  const DensityCoverage alone = density_coverage(reference, sample, 5);
  together(GetParam(), [&](const Together& processes) {
    const DensityCoverage shared = density_coverage(reference, sample, 5, processes);
    EXPECT_EQ(shared.density, alone.density);
    EXPECT_EQ(shared.coverage, alone.coverage);
  });
}

TEST_P(TogetherOf, MomentsAreThoseOfAllRowsHoweverUnevenlyTheyAreDealt) {
  const Tensor rows = normal(100, 5, 5) + 1e4;  // far from zero, where sums of squares would cancel
  const Gaussian whole = gaussian_of(rows);
  together(GetParam(), [&](const Together& processes) {
    GaussianAccumulator mine(5);
    // The last process has all but a few, the first of three or more none.
    const int64_t begin = processes.rank == 0 ? 0 : processes.rank - 1;
    const int64_t end = processes.rank + 1 == processes.size ? 100 : processes.rank;
    if (end > begin) mine.add(rows.narrow(0, begin, end - begin));
    mine.merge_all(processes.sum);
    EXPECT_EQ(mine.count(), 100);
    const Gaussian merged = mine.gaussian();
    EXPECT_TRUE(at::allclose(merged.mean, whole.mean, 1e-14, 0));
    EXPECT_TRUE(at::allclose(merged.covariance, whole.covariance, 1e-10, 1e-12));
  });
}

INSTANTIATE_TEST_SUITE_P(Processes, TogetherOf, ::testing::Values(2, 3, 7));

}  // namespace
}  // namespace sextant::metrics
