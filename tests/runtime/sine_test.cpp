#include "internal/runtime/sine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace sextant::testing {
namespace {

TEST(Float32Sine, IsTheSineToLessThanAUnitInTheLastPlace) {
  for (int k = 0; k <= 10000; ++k) {
    const auto angle = static_cast<float>(std::numbers::pi / 2 * k / 10000);
    const double exact = std::sin(static_cast<double>(angle));
    const auto next = std::nextafter(static_cast<float>(exact), std::numeric_limits<float>::infinity());
    const double unit = next - static_cast<float>(exact);
    EXPECT_LE(std::abs(float32_sine(angle) - exact), 0.7 * unit) << angle;
  }
}

TEST(Float32Sine, IsExactWhereTheSineIs) {
  EXPECT_EQ(float32_sine(0), 0);
  EXPECT_EQ(float32_sine(static_cast<float>(std::numbers::pi / 2)), 1);
}

TEST(Float32Sine, HasTheRoundingOfThePublishedTables) {
  // The correctly rounded sine of this angle is 0x1.e14d68p-2; the ratios of iDDPM's noise levels show this one.
  EXPECT_EQ(float32_sine(0x1.f50f22p-2F), 0x1.e14d6ap-2F);
}

}  // namespace
}  // namespace sextant::testing
