#include "sextant/runtime/error.h"

#include <gtest/gtest.h>

#include "sextant/runtime/device.h"

namespace sextant {
namespace {

TEST(Suggestion, NamesTheNearestCandidate) {
  EXPECT_EQ(nearest_name("hellingr", {"plain", "hellinger", "js"}), "hellinger");
  EXPECT_EQ(did_you_mean("ddmi", {"ddpm", "ddim"}), " Did you mean 'ddim'?");
}

TEST(Suggestion, StaysSilentWhenNothingIsClose) {
  EXPECT_EQ(did_you_mean("zebra", {"plain", "hellinger"}), "");
  EXPECT_EQ(did_you_mean("", {"is", "js"}), "");
  EXPECT_EQ(did_you_mean("x", {"y", "is"}), "");
  EXPECT_EQ(did_you_mean("ab", {"cd"}), "") << "no letter in common";
}

TEST(Suggestion, CountsNoDashes) {
  EXPECT_EQ(did_you_mean("--nosuch", {"--count", "--out"}), "");
  EXPECT_EQ(did_you_mean("--alhpa", {"--alpha"}), " Did you mean '--alpha'?");
  EXPECT_EQ(did_you_mean("--", {"--at"}), "");
}

TEST(Device, RejectsUnknownWords) {
  EXPECT_THROW(parse_device("gpu"), UsageError);
  EXPECT_THROW(parse_device("cuda:"), UsageError);
  EXPECT_THROW(parse_device("cuda:-1"), UsageError);
  EXPECT_THROW(parse_device("cpu:0"), UsageError);
  EXPECT_THROW(parse_device("cuda:1x"), UsageError);
  EXPECT_TRUE(parse_device("cpu").is_cpu());
}

}  // namespace
}  // namespace sextant
