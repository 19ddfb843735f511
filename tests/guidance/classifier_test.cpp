// A classifier is any function from images to logits.
#include "sextant/guidance/classifier.h"

#include "guidance/toy_classifier.h"
#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

TEST(Classifier, IsAFunctionOfImagesOfTheirTimesOrOfTheirSamples) {
  const Tensor x = at::rand({2, 3, 1, 1}), t = at::full({2}, 10);
  const Tensor f = x.flatten(1);
  const Classifier of_images{[](const Tensor& x) { return x.flatten(1); }, 3};
  const Classifier of_times{[](const Tensor& x, const Tensor& t) { return x.flatten(1) + t.unsqueeze(1); }, 3, true};
  const Classifier of_samples{
      [](const Tensor& x, const Tensor&, const SampleIds& ids) { return x.flatten(1) + ids.samples[0]; }, 3};
  EXPECT_TRUE(at::equal(of_images.logits(x), f));
  EXPECT_TRUE(at::equal(of_images.logits(x, t, {1, {5, 6}}), f));
  EXPECT_TRUE(at::equal(of_times.logits(x, t), f + 10));
  EXPECT_TRUE(at::equal(of_samples.logits(x, t, {1, {5, 6}}), f + 5));
  EXPECT_FALSE(of_images.uses_time);
  EXPECT_TRUE(of_times.uses_time);
}

TEST(Classifier, MayKeepAStateOfItsOwnAndIsNoneByDefault) {
  const Classifier counting{[calls = 0](const Tensor& x) mutable { return x.flatten(1) * ++calls; }, 3};
  const Tensor x = at::ones({1, 3, 1, 1});
  EXPECT_EQ(counting.logits(x).sum().item<double>(), 3);
  EXPECT_EQ(counting.logits(x).sum().item<double>(), 6);
  EXPECT_TRUE(counting);
  EXPECT_FALSE(Classifier{});
  EXPECT_THROW(Classifier{}.logits(x), UsageError);
}

TEST(Classifier, OfOtherClassesThanItSaysIsRefusedByItsGuide) {
  constexpr int64_t kPixels = 18, kClasses = 5, kBatch = 4;
  using testing::step_input;
  Classifier classifier = testing::toy_classifier(kPixels, kClasses);
  classifier.classes = kClasses + 1;
  const Guide guide(classifier, named_score("plain"));
  const std::string message = sextant::testing::message_of<ShapeError>([&] { guide(step_input(kBatch, kClasses)); });
  EXPECT_EQ(message, "guide: the classifier says that it has 6 classes, and gives logits [4, 5]");
  classifier.classes = 0;  // not told
  Guide(classifier, named_score("plain"))(step_input(kBatch, kClasses));
  EXPECT_THROW(Guide(Classifier{Logits::Function(), kClasses}, named_score("plain")), UsageError);
}

}  // namespace
}  // namespace sextant::guidance
