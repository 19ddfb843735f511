#include "sample/batch_ranges.h"

#include <gtest/gtest.h>

namespace sextant::testing {
namespace {

using commands::BatchRanges;

std::vector<int64_t> each(const BatchRanges& ranges, int64_t begin, int64_t end, int64_t first, int64_t step) {
  std::vector<int64_t> batches;
  ranges.each(begin, end, first, step, [&](int64_t batch) {
    batches.push_back(batch);
    return true;
  });
  return batches;
}

TEST(BatchRanges, HoldWhatASetOfNumbersHolds) {
  for (uint32_t bits = 0; bits < 256; ++bits) {
    BatchRanges ranges, others;
    const uint32_t other_bits = bits * 167 % 256;
    for (int64_t batch = 0; batch < 8; ++batch) {
      if (bits >> batch & 1) ranges.add(batch, batch + 1);
      if (other_bits >> batch & 1) others.add(batch, batch + 1);
    }
    const BatchRanges both = ranges.both(others);
    std::vector<int64_t> wanted, odd, common;
    for (int64_t batch = 0; batch < 8; ++batch) {
      const bool has = bits >> batch & 1;
      EXPECT_EQ(ranges.has(batch), has);
      if (has) wanted.push_back(batch);
      if (has && batch >= 2 && batch < 7 && batch % 3 == 1) odd.push_back(batch);
      if (has && (other_bits >> batch & 1) != 0) common.push_back(batch);
    }
    EXPECT_EQ(ranges.size(), static_cast<int64_t>(wanted.size()));
    EXPECT_EQ(ranges.empty(), wanted.empty());
    EXPECT_EQ(each(ranges, 0, 8, 0, 1), wanted);
    EXPECT_EQ(each(ranges, 2, 7, 1, 3), odd);
    EXPECT_EQ(each(both, 0, 8, 0, 1), common);
  }
}

TEST(BatchRanges, AreVisitedUntilTheVisitorHasEnough) {
  BatchRanges ranges;
  ranges.add(3, 1'000'000'000);
  std::vector<int64_t> batches;
  ranges.each(0, 2'000'000'000, 1, 1'000, [&](int64_t batch) {
    batches.push_back(batch);
    return batches.size() < 3;
  });
  EXPECT_EQ(batches, (std::vector<int64_t>{1'001, 2'001, 3'001}));
}

}  // namespace
}  // namespace sextant::testing
