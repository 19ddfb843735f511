// What is read of a device without waiting for it.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "internal/runtime/constant.h"
#include "internal/runtime/finite.h"
#include "sextant/runtime/progress.h"

namespace sextant {
namespace {

using Reading = FiniteWatch::Reading;

/// What was complained of, in order.
struct Complaints {
  std::vector<std::string> heard;
  std::function<void()> of(const std::string& name) {
    return [this, name] { heard.push_back(name); };
  }
};

Tensor with_nan() { return at::tensor({1.0, std::nan(""), 2.0}); }

TEST(FiniteWatch, ComplainsAtOnceOnACpu) {
  Complaints complaints;
  FiniteWatch watch(at::kCPU);
  watch.look(at::ones({3}), complaints.of("fine"));
  watch.look(with_nan(), complaints.of("nan"));
  watch.look(at::full({2}, INFINITY), complaints.of("infinity"));
  EXPECT_EQ(complaints.heard, (std::vector<std::string>{"nan", "infinity"}));
}

TEST(FiniteWatch, ReadsAStepLateWhereItMustNotWait) {
  Complaints complaints;
  FiniteWatch watch(Reading::kStepLate);
  watch.look(with_nan(), complaints.of("step 3"));
  watch.end_step();
  EXPECT_TRUE(complaints.heard.empty());
  watch.look(with_nan(), complaints.of("step 2"));
  EXPECT_TRUE(complaints.heard.empty());
  watch.end_step();
  EXPECT_EQ(complaints.heard, (std::vector<std::string>{"step 3"}));
  watch.finish();
  EXPECT_EQ(complaints.heard, (std::vector<std::string>{"step 3", "step 2"}));
  watch.finish();
  EXPECT_EQ(complaints.heard.size(), 2U);
}

TEST(FiniteWatch, IsNotMisledByASumThatOverflows) {
  const Tensor large = at::full({4}, 1e308, at::kDouble);  // finite, their sum is not
  for (const Reading reading : {Reading::kAtOnce, Reading::kStepLate}) {
    Complaints complaints;
    FiniteWatch watch(reading);
    watch.look(large, complaints.of("large"));
    watch.finish();
    EXPECT_TRUE(complaints.heard.empty());
  }
}

TEST(Stopwatch, AddsUpItsSpansAndForgetsThem) {
  Stopwatch watch;
  EXPECT_EQ(watch.take(), 0);
  const auto a = Stopwatch::now(at::kCPU);
  double spent = 0;
  for (int i = 0; i < 100000; ++i) spent += std::sqrt(static_cast<double>(i));
  EXPECT_GT(spent, 0);
  const auto b = Stopwatch::now(at::kCPU);
  watch.add(a, b);
  Stopwatch twice;
  twice.add(a, b);
  twice.add(a, b);
  const double once = watch.take();
  EXPECT_GT(once, 0);
  EXPECT_DOUBLE_EQ(twice.take(), 2 * once);
  EXPECT_EQ(twice.take(), 0);
}

TEST(Constant, IsCopiedOnceForEachDtype) {
  const Constant third(at::tensor({1.0 / 3}, at::kDouble));
  const Tensor narrow = third.like(at::ones({2}, at::kFloat));
  EXPECT_EQ(narrow.scalar_type(), at::kFloat);
  EXPECT_EQ(narrow.data_ptr<float>()[0], 1.0f / 3);
  EXPECT_TRUE(third.like(at::ones({5, 5}, at::kFloat)).is_same(narrow));
  EXPECT_EQ(third.like(at::ones({1}, at::kDouble)).data_ptr<double>()[0], 1.0 / 3);
  const Constant same = third;
  EXPECT_TRUE(same.like(narrow).is_same(narrow));
}

}  // namespace
}  // namespace sextant
