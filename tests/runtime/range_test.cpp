#include "sextant/runtime/range.h"

#include <gtest/gtest.h>

#include <limits>

#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant {
namespace {

using testing::message_of;

TEST(Range, HoldsItsEndsAndNothingBeyond) {
  constexpr Range closed{-1, 2};
  EXPECT_TRUE(closed.contains(-1));
  EXPECT_TRUE(closed.contains(2));
  EXPECT_FALSE(closed.contains(-1.0000001));
  EXPECT_FALSE(closed.contains(2.0000001));
}

TEST(Range, LeavesOutItsLowerEndWhereItSaysAbove) {
  constexpr Range open{0, 1, true};
  EXPECT_FALSE(open.contains(0));
  EXPECT_TRUE(open.contains(std::numeric_limits<double>::denorm_min()));
  EXPECT_TRUE(open.contains(1));
}

TEST(Range, HoldsFiniteNumbersOnly) {
  for (const Range range : {Range{}, Range{-kUnlimited, kUnlimited}}) {
    EXPECT_TRUE(range.contains(std::numeric_limits<double>::max()));
    EXPECT_FALSE(range.contains(kUnlimited));
    EXPECT_FALSE(range.contains(std::numeric_limits<double>::quiet_NaN()));
  }
}

TEST(Range, NamesWhoAskedTheSettingAndWhatArrived) {
  EXPECT_EQ(message_of<UsageError>([] {
              Range{0, 10}.check("guide", "scale", 11);
            }),
            "guide: scale must be a number from 0 to 10, got 11");
  EXPECT_EQ(message_of<UsageError>([] {
              Range{0, 1, true}.check("edm", "solver-alpha", 0);
            }),
            "edm: solver-alpha must be a number above 0 to 1, got 0");
  EXPECT_EQ(message_of<UsageError>([] { Range{1}.check("ddpm", "recurrence", 0.5); }),
            "ddpm: recurrence must be a number 1 or more, got 0.5");
}

}  // namespace
}  // namespace sextant
