// What scores say of themselves: their order, their size, what they need.
#include <nlohmann/json.hpp>

#include "evaluation/evaluate_fixture.h"
#include "sextant/metrics/metrics.h"
#include "support/errors.h"

namespace sextant::evaluation {
namespace {

/// `count` samples whose network is certain of the class that each is of, 0 to 9.
Embedding certain(const Tensor& classes) {
  Embedding samples;
  samples.source = "certain";
  samples.count = classes.numel();
  samples.logits = at::one_hot(classes, 10).to(at::kFloat) * 200;
  return samples;
}

class Scores : public Evaluate {
 protected:
  Evaluation scored(const Embedding& samples, const std::vector<Metric>& metrics, Protocol protocol = Protocol::kOpenAi,
                    const Embedding& reference = {}) {
    EvaluateOptions options;
    options.protocol = protocol;
    options.metrics = metrics;
    return *evaluate(samples, reference, extractor_, options, progress_, stop_);
  }
  static std::map<std::string, Measure> by_key(const Evaluation& evaluation) {
    std::map<std::string, Measure> measures;
    for (const Measure& measure : evaluation.measures) measures[measure.key] = measure;
    return measures;
  }
  static bool says(const Evaluation& evaluation, const std::string& text) {
    return std::any_of(evaluation.notes.begin(), evaluation.notes.end(),
                       [&](const std::string& note) { return note.find(text) != std::string::npos; });
  }
};

TEST_F(Scores, OfImagesSortedByClassComeWithThatOfTheShuffledOnes) {
  // Parts of 5000 that hold five of the ten classes each score exp(log 5); of all ten exp(log 10).
  const Tensor sorted = at::arange(10000, at::kLong).floor_divide(1000);
  for (const bool labelled : {true, false}) {
    Embedding samples = certain(sorted);
    if (labelled) samples.labels = sorted;
    const Evaluation evaluation = scored(samples, {Metric::kInceptionScore});
    EXPECT_NEAR(by_key(evaluation).at("is").value, 5, 1e-3);
    EXPECT_NEAR(by_key(evaluation).at("is-shuffled").value, 10, 0.02);
    EXPECT_TRUE(says(evaluation, labelled ? "sorted by class" : "which matters here")) << evaluation.notes.size();
  }
  const Tensor mixed = at::arange(10000, at::kLong) % 10;
  Embedding samples = certain(mixed);
  samples.labels = mixed;
  const Evaluation evaluation = scored(samples, {Metric::kInceptionScore});
  EXPECT_NEAR(by_key(evaluation).at("is").value, 10, 1e-3);
  EXPECT_EQ(by_key(evaluation).count("is-shuffled"), 0u);
  EXPECT_TRUE(evaluation.notes.empty());
}

TEST_F(Scores, OfProtocolsThatShuffleDoNotDependOnTheOrder) {
  const Tensor sorted = at::arange(1000, at::kLong).floor_divide(100);
  for (const Protocol protocol : {Protocol::kPytorchFid, Protocol::kTorchFidelity}) {
    const Evaluation evaluation = scored(certain(sorted), {Metric::kInceptionScore}, protocol);
    EXPECT_NEAR(by_key(evaluation).at("is").value, 9.6, 0.3);  // in order each part would be one class and score 1
  }
}

TEST_F(Scores, OfPartsThatAreOneImageSayThatTheyAreOneWhateverTheyShow) {
  const Evaluation nine =
      scored(certain(at::arange(9, at::kLong)), {Metric::kInceptionScore}, Protocol::kTorchFidelity);
  EXPECT_EQ(by_key(nine).at("is").value, 1);
  EXPECT_TRUE(says(nine, "each of 9 parts is one image"));
  const Evaluation some =
      scored(certain(at::arange(60, at::kLong) % 10), {Metric::kInceptionScore}, Protocol::kPytorchFid);
  EXPECT_TRUE(says(some, "a part of 6 images cannot score above 6, and there are 10 classes"));
  const Evaluation enough =
      scored(certain(at::arange(600, at::kLong) % 10), {Metric::kInceptionScore}, Protocol::kPytorchFid);
  EXPECT_TRUE(enough.notes.empty());
  // OpenAI's last part of one image scores 1 and counts as much as the 5000 before it.
  const Evaluation rest = scored(certain(at::arange(5001, at::kLong) % 10), {Metric::kInceptionScore});
  EXPECT_NEAR(by_key(rest).at("is").value, 5.5, 1e-3);
  EXPECT_TRUE(says(rest, "a part of 1 image cannot score above 1"));
}

TEST_F(Scores, OfTheKernelDistanceHaveADeviationOnlyWhereSubsetsDiffer) {
  const Embedding small = embedded(RandomImages(20, 2)), other = embedded(RandomImages(20, 3));
  const Embedding large = embedded(RandomImages(40, 4));
  const Evaluation whole = scored(small, {Metric::kKid}, Protocol::kOpenAi, other);
  EXPECT_FALSE(by_key(whole).at("kid").deviation);
  const double expected = metrics::squared_mmd(small.features, other.features);
  EXPECT_NEAR(by_key(whole).at("kid").value, expected, 1e-9 * std::abs(expected));  // the subset is in another order
  EXPECT_TRUE(says(whole, "every subset is the whole of both sets"));
  EXPECT_GT(by_key(scored(small, {Metric::kKid}, Protocol::kOpenAi, large)).at("kid").deviation.value_or(0), 0);
}

TEST_F(Scores, OfFewImagesSayWhatTheyDoNotTell) {
  const Embedding three = embedded(RandomImages(3, 2)), many = embedded(RandomImages(30, 3));
  const Evaluation few = scored(three, {}, Protocol::kOpenAi, many);
  EXPECT_TRUE(says(few, "3 samples span less than 4 dimensions"));
  EXPECT_TRUE(says(few, "left out: precision, recall (needs more than 3 images in each set)"));
  const Evaluation turned =
      scored(many, {Metric::kFid, Metric::kPrecision}, Protocol::kOpenAi, embedded(RandomImages(4, 5)));
  EXPECT_TRUE(says(turned, "4 references span less than 4 dimensions"));
  EXPECT_TRUE(says(turned, "4 images have their 3 nearest neighbours nearly everywhere"));
}

TEST_F(Scores, OfAClassifierNeedNeitherReferenceNorCovariance) {
  RandomImages images(1, 1);
  images.pixels().fill_(0);
  FeatureExtractor none;
  const auto one = embed(images, "set", none, {.need_statistics = false, .classifier = brightness()}, progress_, stop_);
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->pool.mean.defined());
  EvaluateOptions options;
  options.metrics = {Metric::kAccuracy, Metric::kEce};
  const auto evaluation = evaluate(*one, {}, none, options, progress_, stop_);
  EXPECT_EQ(by_key(*evaluation).at("accuracy").value, 1);  // dark, of class 0
  EXPECT_FALSE(by_key(*evaluation).at("accuracy").interval);
  EXPECT_NEAR(by_key(*evaluation).at("ece").value, 1 - 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_TRUE(says(*evaluation, "1 image in 15 bins"));
  const auto json = to_json(*evaluation);
  EXPECT_FALSE(json.contains("reference"));
  EXPECT_FALSE(json.contains("extractor"));
  EXPECT_NE(message_of([&] { scored(*one, {Metric::kFid}); }).find("fid cannot be computed"), std::string::npos);
}

TEST_F(Scores, HaveNoIntervalOfOneResample) {
  RandomImages images(1, 1);
  FeatureExtractor none;
  const auto one = embed(images, "set", none, {.need_statistics = false, .classifier = brightness()}, progress_, stop_);
  for (int64_t EvaluateOptions::*const resamples : {&EvaluateOptions::bootstrap, &EvaluateOptions::bootstrap_fid}) {
    EvaluateOptions options;
    options.*resamples = 1;
    const std::string message = message_of([&] { evaluate(*one, {}, none, options, progress_, stop_); });
    EXPECT_NE(message.find("0 leaves it out"), std::string::npos) << message;
  }
}

TEST_F(Scores, OfUnsureLabelsAreLeftOutUnlessAskedFor) {
  const Embedding samples = embedded(RandomImages(40, 1), {.classifier = brightness()});
  EvaluateOptions options;
  options.labels_unsure = true;
  const Evaluation unasked = *evaluate(samples, samples, extractor_, options, progress_, stop_);
  EXPECT_EQ(by_key(unasked).count("accuracy") + by_key(unasked).count("ece"), 0u);
  EXPECT_TRUE(says(unasked, "left out: accuracy, ece (nothing says that the sorted names"));
  options.metrics = {Metric::kAccuracy};
  const Evaluation asked = *evaluate(samples, samples, extractor_, options, progress_, stop_);
  const Tensor right = samples.judge_logits.argmax(1) == samples.labels;
  EXPECT_EQ(by_key(asked).at("accuracy").value, right.to(at::kDouble).mean().item<double>());
}

}  // namespace
}  // namespace sextant::evaluation
