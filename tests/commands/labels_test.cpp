#include "drawing/labels.h"

#include <gtest/gtest.h>

#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::commands {
namespace {

std::vector<int64_t> first_ten(const std::string& text) {
  const Tensor labels = Labels(text).of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0, 100);
  return {labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + 10};
}

TEST(Labels, AreTakenInTurn) {
  EXPECT_EQ(first_ten("3"), std::vector<int64_t>(10, 3));
  EXPECT_EQ(first_ten("0-2,7"), (std::vector<int64_t>{0, 1, 2, 7, 0, 1, 2, 7, 0, 1}));
  EXPECT_EQ(first_ten("3, 5"), (std::vector<int64_t>{3, 5, 3, 5, 3, 5, 3, 5, 3, 5}));
  EXPECT_EQ(first_ten(" 0 - 2 ,\t7 "), first_ten("0-2,7"));
  EXPECT_EQ(first_ten("0-9"), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Labels, OfASampleDoNotDependOnTheBatch) {
  for (const char* text : {"random", "4-9"}) {
    const Tensor all = Labels(text).of({0, 1, 2, 3, 4, 5}, 3, 10);
    EXPECT_EQ(Labels(text).of({4}, 3, 10)[0].item<int64_t>(), all[4].item<int64_t>());
  }
}

TEST(Labels, RejectWhatIsNoClass) {
  for (const char* text :
       {"", "x", "1,", ",1", "3-1", "-1", "1-", "1.5", "1 2", "3, ", "99999999999999999999", "Random"}) {
    EXPECT_THROW(Labels{text}, UsageError) << text;
  }
}

TEST(Labels, SayWhatIsWrongWithARange) {
  const auto refusal = [](const std::string& text) { return testing::message_of<UsageError>([&] { Labels{text}; }); };
  EXPECT_EQ(refusal("1, 9 - 0"), "--labels '1, 9 - 0': the range 9 - 0 runs backwards");
  for (const char* text : {"0-99999999999", "0-99999999999999999999", "1000000"}) {
    EXPECT_EQ(refusal(text),
              "--labels '" + std::string(text) + "': " + text + " is beyond 999999, the largest number of a class");
  }
  EXPECT_EQ(refusal("-1"),
            "--labels '-1': '-1' is no class; use random, or classes and ranges such as 3 or 0-9 or "
            "0,3,7-9");
}

TEST(Labels, RejectClassesThatAreNotThere) {
  EXPECT_EQ(testing::message_of<UsageError>([&] { Labels("0-10").check(10, "the model's classes"); }),
            "--labels: class 10 is not one of the model's classes, 0-9");
  EXPECT_NO_THROW(Labels("0-9").check(10, "the model's classes"));
}

}  // namespace
}  // namespace sextant::commands
