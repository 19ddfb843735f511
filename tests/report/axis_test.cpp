#include "axis.h"

#include <gtest/gtest.h>

namespace sextant::report {
namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> all;
  for (const Tick& tick : axis.ticks) all.push_back(tick.label);
  return all;
}

TEST(Axis, HasTicksAtRoundNumbers) {
  EXPECT_EQ(labels(linear_axis(0, 1, 5)), (std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(linear_axis(0, 999)), (std::vector<std::string>{"0", "200", "400", "600", "800"}));
  const Axis rounded = rounded_axis(0.013, 0.187);
  EXPECT_EQ(rounded.low, 0);
  EXPECT_NEAR(rounded.high, 0.2, 1e-15);
  EXPECT_EQ(labels(rounded), (std::vector<std::string>{"0.00", "0.05", "0.10", "0.15", "0.20"}));
  EXPECT_EQ(labels(log_axis(0.02, 30)), (std::vector<std::string>{"0.01", "0.1", "1", "10", "100"}));
}

TEST(Axis, HasMoreTicksWhereALogarithmicRangeIsNarrow) {
  const Axis axis = log_axis(0.3, 0.8);
  EXPECT_EQ(labels(axis), (std::vector<std::string>{"0.2", "0.5", "1"}));
  EXPECT_NEAR(axis.low, 0.2, 1e-15);
  EXPECT_NEAR(axis.high, 1, 1e-15);
  EXPECT_EQ(labels(log_axis(2, 2)), (std::vector<std::string>{"2", "5"}));
}

TEST(Axis, WritesRealMinusSignsAndPowersOfTen) {
  EXPECT_EQ(labels(linear_axis(-1, 1, 4)), (std::vector<std::string>{"−1.0", "−0.5", "0.0", "0.5", "1.0"}));
  EXPECT_EQ(labels(linear_axis(0, 4e6, 2)), (std::vector<std::string>{"0", "2×10⁶", "4×10⁶"}));
  EXPECT_EQ(labels(linear_axis(0, 2e-5, 2)), (std::vector<std::string>{"0", "1×10⁻⁵", "2×10⁻⁵"}));
  EXPECT_EQ(labels(log_axis(1e-12, 1e12)).front(), "10⁻¹²");
}

TEST(Axis, TellsLargeNumbersThatAreCloseApart) {
  const std::vector<std::string> all = labels(linear_axis(1e9, 1e9 + 1, 2));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1], "1.0000000005×10⁹");
}

TEST(Axis, WidensARangeOfNoWidth) {
  for (const double value : {0.0, -3.0, 1e9}) {
    for (const Axis& axis : {linear_axis(value, value), rounded_axis(value, value)}) {
      EXPECT_LT(axis.low, value);
      EXPECT_GT(axis.high, value);
      EXPECT_NEAR(axis.place(value), 0.5, 0.3);
      EXPECT_GE(axis.ticks.size(), 2u);
    }
  }
}

}  // namespace
}  // namespace sextant::report
