// What a classifier is given of the pixels.
#include "classifiers/toy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::classifiers {
namespace {

using guidance::Classifier;
using testing::Tolerance;

TEST(Resized, AgreesWithPil) {
  const checkpoint::StateDict file =
      checkpoint::load(testing::source_dir() / "tests/classifiers/data/resize.safetensors").weights();
  const Tensor& x = file.at("x");
  for (const char* name : {"bilinear", "bicubic"}) {
    for (const auto& [height, width] : {std::pair(7, 9), std::pair(30, 31)}) {
      const Tensor& expected = file.at(c10::str(name, "_", height, "x", width));
      EXPECT_TENSOR_NEAR(resized(x, height, width, parse_resize(name)), expected, (Tolerance{2e-6, 0}));
    }
  }
}

TEST(Resized, TakesTheMeanOfTheAreaAndLeavesTheSameSizeAlone) {
  const Tensor x = at::rand({2, 3, 8, 8});
  const Tensor quarters = x.reshape({2, 3, 4, 2, 4, 2}).mean({3, 5});
  EXPECT_TENSOR_NEAR(resized(x, 4, 4, Resize::kArea), quarters, (Tolerance{1e-6, 0}));
  for (const auto& [word, filter] : resize_words()) EXPECT_TRUE(resized(x, 8, 8, filter).is_same(x)) << word;
  EXPECT_EQ(testing::message_of<UsageError>([] { parse_resize("bicubik"); }),
            "resize 'bicubik' is unknown; use bilinear, bicubic or area. Did you mean 'bicubic'?");
}

TEST(Sized, CarriesTheGradientThroughEveryFilter) {
  at::manual_seed(1);
  const Tensor x = at::rand({2, 2, 9, 9}, at::kDouble);
  const Tensor y = at::tensor({0, 2}, at::kLong);
  const Classifier inner = means({1, 2, -1, 0.5, 3, -2}, 3);
  for (const auto& [word, filter] : resize_words()) {
    const Classifier classifier = sized(inner, 5, filter);
    const Tensor gradient = log_prob_gradient(classifier, x, y);
    const Tensor step = at::randn_like(x) * 1e-6;
    const auto value = [&](const Tensor& at) {
      return at::log_softmax(classifier.logits(at, {}), 1).gather(1, y.unsqueeze(1)).sum().item<double>();
    };
    EXPECT_NEAR((gradient * step).sum().item<double>(), (value(x + step) - value(x - step)) / 2, 1e-12) << word;
  }
}

TEST(Normalised, RefusesImagesOfOtherChannelsThanItHasMeans) {
  InputConvention gray;
  gray.mean = {0.5};
  gray.std = {0.25};
  EXPECT_EQ(testing::message_of<ShapeError>([&] {
              normalised(means({1, 1, 1}, 3), gray).logits(at::zeros({2, 3, 4, 4}));
            }),
            "classifier: its input has 1 channels, the images have 3");
}

TEST(Normalised, NeedsADeviationForEachMean) {
  const Classifier classifier = means({1, 1, 1}, 3);
  const auto message = [&](const InputConvention& which) {
    return testing::message_of<UsageError>([&] { normalised(classifier, which); });
  };
  InputConvention convention;
  convention.mean = {0.5, 0.5, 0.5};
  EXPECT_EQ(message(convention), "classifier: its input has 3 means and 0 deviations; give one of each for a channel");
  convention = {};
  convention.low = 1;
  convention.high = 0;
  EXPECT_EQ(message(convention), "classifier: the end of its pixels' range must be a number above 1, got 0");
  EXPECT_EQ(message({.mean = {0}, .std = {0}}), "classifier: a deviation of its input must be a number above 0, got 0");
  EXPECT_EQ(testing::message_of<UsageError>([&] { sized(classifier, 0, Resize::kArea); }),
            "sized: size must be a number 1 or more, got 0");
}

}  // namespace
}  // namespace sextant::classifiers
