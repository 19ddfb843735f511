#include "sextant/evaluation/evaluate.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "evaluation/evaluate_fixture.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::evaluation {
namespace {

namespace fs = std::filesystem;

TEST_F(Evaluate, EmbedsImagesInOrderWhateverTheBatch) {
  const RandomImages images(53, 1);
  const Embedding one = embedded(images, {.batch = 1});
  const Embedding many = embedded(images, {.batch = 10});
  EXPECT_EQ(one.count, 53);
  EXPECT_EQ(progress_.last, 53);
  EXPECT_TRUE(at::equal(one.features, many.features));
  EXPECT_TENSOR_NEAR(one.pool.covariance, many.pool.covariance, (Tolerance{0, 1e-12}));
  EXPECT_TENSOR_NEAR(one.pool.mean, metrics::gaussian_of(one.features).mean, (Tolerance{0, 1e-12}));
  EXPECT_TRUE(at::equal(many.labels, images.labels()));
}

TEST_F(Evaluate, NamesACorruptImageOrLeavesItOutAndCountsIt) {
  const RandomImages images(20, 1, {3, 17});
  EXPECT_EQ(message_of([&] { embedded(images); }), "image 3 is corrupt");
  const Embedding rest = embedded(images, {.batch = 6, .skip_bad = true});
  EXPECT_EQ(rest.count, 18);
  EXPECT_EQ(rest.skipped, (std::vector<std::string>{"image 3", "image 17"}));
  EXPECT_EQ(rest.labels.size(0), 18);
  const auto evaluation = evaluate(rest, rest, extractor_, {}, progress_, stop_);
  EXPECT_NE(to_json(*evaluation).dump().find("2 unreadable samples were left out, the first image 3"),
            std::string::npos);
}

TEST_F(Evaluate, NamesAnImageOfAnotherSizeUnlessToldToResize) {
  const RandomImages images(20, 1);
  for (const int64_t batch : {1, 4, 64}) {
    const std::string message =
        message_of([&] { embed(images, "set", extractor_, {.batch = batch, .skip_bad = true}, progress_, stop_); });
    EXPECT_EQ(message, "image 1 is 8 x 8 pixels, the first image 8 x 6; make them alike, or set resize or image-size");
  }
}

TEST_F(Evaluate, JudgesSamplesByAClassifierOfTheirLabels) {
  RandomImages images(40, 1);
  images.pixels().copy_((at::arange(40) % 2 * 200).to(at::kByte).reshape({40, 1, 1, 1}).expand_as(images.pixels()));
  const Embedding samples = embedded(images, {.classifier = brightness()});
  EvaluateOptions options;
  options.judge_name = "brightness";
  const auto evaluation = evaluate(samples, samples, extractor_, options, progress_, stop_);
  const auto json = to_json(*evaluation);
  EXPECT_EQ(json["classifier"], "brightness");
  EXPECT_EQ(json["metrics"]["accuracy"]["value"], 1);
  // Pixels 0 and 200 are -1 and 0.57 to it: certain to 0.88 and 0.76, and always right.
  const double confidence = 0.5 / (1 + std::exp(-2.0)) + 0.5 / (1 + std::exp(-2 * (200 / 127.5 - 1)));
  EXPECT_NEAR(json["metrics"]["ece"]["value"], 1 - confidence, 1e-6);
}

TEST_F(Evaluate, RefusesSetsThatHaveNoCovariance) {
  EXPECT_NE(message_of([&] { embedded(RandomImages(1, 1)); }).find("set has 1 image; a covariance needs at least 2"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              embedded(RandomImages(2, 1, {0, 1}), {.skip_bad = true});
            }).find("set has 0 images that can"),
            std::string::npos);
}

TEST_F(Evaluate, NamesTheImageOfBrokenFeaturesAndOfWrongChannels) {
  RandomImages images(10, 1);
  images.pixels()[4].fill_(255);
  EXPECT_NE(message_of([&] { embedded(images); }).find("features of image 4 hold NaN"), std::string::npos);
  EXPECT_NE(message_of([&] {
              embedded(RandomImages(10, 1, {}, 3));
            }).find("image 0 has 3 channels, the feature network takes 1"),
            std::string::npos);
}

TEST_F(Evaluate, StopsBetweenBatches) {
  stop_.request(2);
  EXPECT_FALSE(embed(RandomImages(10, 1), "set", extractor_, {.resize = true}, progress_, stop_));
}

TEST_F(Evaluate, ScoresASetAgainstItselfPerfectly) {
  const Embedding set = embedded(RandomImages(60, 2));
  const auto evaluation = evaluate(set, set, extractor_, {}, progress_, stop_);
  std::map<std::string, Measure> by_key;
  for (const Measure& measure : evaluation->measures) by_key[measure.key] = measure;
  EXPECT_LT(by_key.at("fid").value, 1e-6);
  EXPECT_LT(by_key.at("sfid").value, 1e-6);
  EXPECT_EQ(by_key.at("precision").value, 1);
  EXPECT_EQ(by_key.at("recall").value, 1);
  EXPECT_EQ(by_key.at("coverage").value, 1);
  EXPECT_GE(by_key.at("is").value, 1);
  EXPECT_LT(by_key.at("kid").value, 1e-3);
  EXPECT_TRUE(by_key.at("fid").interval);
  EXPECT_EQ(by_key.count("fid-infinity"), 0u);
  EXPECT_EQ(evaluation->classes->count.sum().item<int64_t>(), 60);
  const nlohmann::json json = to_json(*evaluation);
  EXPECT_EQ(json["protocol"], "openai");
  EXPECT_EQ(json["samples"]["count"], 60);
  EXPECT_EQ(json["metrics"]["precision"]["high"], 1.0);
}

TEST_F(Evaluate, TellsWhatAReferenceOfStatisticsAloneDoesNotAllow) {
  const Embedding samples = embedded(RandomImages(30, 2));
  const Embedding reference = embedded(RandomImages(30, 3), {.keep_features = false});
  const auto evaluation = evaluate(samples, reference, extractor_, {}, progress_, stop_);
  EXPECT_EQ(evaluation->measures.size(), 5u);  // fid, sfid, is; accuracy and ece, which need no reference
  EXPECT_NE(to_json(*evaluation)["notes"].dump().find("left out: precision, recall, density, coverage, kid"),
            std::string::npos);
  EvaluateOptions options;
  options.metrics = {Metric::kFid, Metric::kRecall};
  EXPECT_NE(message_of([&] {
              evaluate(samples, reference, extractor_, options, progress_, stop_);
            }).find("recall cannot be computed: the reference holds statistics alone"),
            std::string::npos);
  options = {};
  options.level = 1;
  EXPECT_EQ(message_of([&] { evaluate(samples, reference, extractor_, options, progress_, stop_); }),
            "evaluate: level must be a number from 0.5 to 0.9999, got 1");
}

TEST_F(Evaluate, GivesEachProtocolItsInceptionScore) {
  const Embedding set = embedded(RandomImages(40, 2));
  const auto score = [&](Protocol protocol) {
    EvaluateOptions options;
    options.protocol = protocol;
    options.metrics = {Metric::kInceptionScore};
    return evaluate(set, set, extractor_, options, progress_, stop_)->measures[0].value;
  };
  EXPECT_EQ(score(Protocol::kOpenAi), metrics::inception_score_chunks(set.logits).mean);
  const double shuffled = metrics::inception_score_splits(set.logits, 10, metrics::numpy_permutation(40, 2020)).mean;
  EXPECT_EQ(score(Protocol::kTorchFidelity), shuffled);
  EXPECT_EQ(score(Protocol::kPytorchFid), shuffled);  // which has none of its own
  for (const auto& [word, protocol] : protocol_words()) EXPECT_EQ(name_of(protocol), word);
}

TEST_F(Evaluate, ReadsBackTheStatisticsItSaves) {
  const Embedding set = embedded(RandomImages(30, 2));
  const fs::path path = folder_ / "statistics.npz";
  save_statistics(path, statistics_of(set, extractor_, /*with_features=*/true));
  const auto read = open_reference(path, extractor_, {}, {}, progress_, stop_);
  EXPECT_EQ(read->count, 30);
  EXPECT_TRUE(at::equal(read->pool.covariance, set.pool.covariance));
  EXPECT_TRUE(at::equal(read->spatial->mean, set.spatial->mean));
  EXPECT_TRUE(at::equal(read->features, set.features));
  const FeatureExtractor other{extractor_.network, "others", std::string(32, 'b')};
  EXPECT_NE(message_of([&] { open_reference(path, other, {}, {}, progress_, stop_); }).find("another extractor"),
            std::string::npos);
}

TEST_F(Evaluate, CachesAReferenceBesideItByItsContents) {
  auto generator = at::detail::createCPUGenerator(5);
  const fs::path path = folder_ / "reference.npz";
  const auto write = [&](int64_t count) {
    checkpoint::NpzWriter file(path);
    file.add("arr_0", at::randint(0, 250, {count, 8, 8, 1}, generator, at::kByte));
    file.close();
  };
  const auto caches = [&] {
    return std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()) - 1;
  };
  write(20);
  const auto first = open_reference(path, extractor_, {}, {}, progress_, stop_);
  EXPECT_EQ(caches(), 1);
  progress_.last = -1;
  const auto again = open_reference(path, extractor_, {}, {}, progress_, stop_);
  EXPECT_EQ(progress_.last, -1) << "embedded again";
  EXPECT_TRUE(at::equal(first->features, again->features));
  EXPECT_EQ(again->source, path.string());

  write(25);  // other contents under the same name
  EXPECT_EQ(open_reference(path, extractor_, {}, {}, progress_, stop_)->count, 25);
  EXPECT_EQ(caches(), 2);
}

TEST_F(Evaluate, CachesAReferenceOfWhichOnlyFeaturesWereAskedForWhateverIsAskedNext) {
  const fs::path path = folder_ / "reference.npz";
  checkpoint::NpzWriter file(path);
  file.add("arr_0", at::arange(20 * 64, at::kLong).remainder(250).to(at::kByte).view({20, 8, 8, 1}));
  file.close();
  const auto first = open_reference(path, extractor_, {.need_statistics = false}, {}, progress_, stop_);
  progress_.last = -1;
  const auto again = open_reference(path, extractor_, {}, {}, progress_, stop_);
  EXPECT_EQ(progress_.last, -1) << "embedded again: it was not cached";
  EXPECT_TRUE(at::equal(first->features, again->features));
  const auto fresh = open_reference(path, extractor_, {}, {.cache = false}, progress_, stop_);
  EXPECT_TENSOR_NEAR(again->pool.covariance, fresh->pool.covariance, (Tolerance{0, 1e-12}));
  EXPECT_TENSOR_NEAR(again->spatial->mean, fresh->spatial->mean, (Tolerance{0, 1e-12}));
}

TEST_F(Evaluate, DoesWithoutACacheThatCannotBeWrittenOrRead) {
  const fs::path path = folder_ / "reference.npz";
  checkpoint::NpzWriter file(path);
  file.add("arr_0", at::arange(20 * 64, at::kLong).remainder(250).to(at::kByte).view({20, 8, 8, 1}));
  file.close();
  open_reference(path, extractor_, {}, {}, progress_, stop_);
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path() != path) std::ofstream(entry.path()) << "damaged";
  }
  EXPECT_EQ(open_reference(path, extractor_, {}, {}, progress_, stop_)->count, 20);
}

TEST_F(Evaluate, RefusesDamagedStatistics) {
  const Embedding set = embedded(RandomImages(30, 2));
  const fs::path path = folder_ / "statistics.npz";
  save_statistics(path, statistics_of(set, extractor_, /*with_features=*/false));
  fs::resize_file(path, fs::file_size(path) / 2);
  EXPECT_NE(message_of([&] { open_reference(path, extractor_, {}, {}, progress_, stop_); }).find("statistics.npz"),
            std::string::npos);
  EXPECT_NE(
      message_of([&] { open_reference(folder_ / "none.npz", extractor_, {}, {}, progress_, stop_); }).find("none.npz"),
      std::string::npos);
}

TEST_F(Evaluate, RefusesAReferenceOfAnotherWidth) {
  const Embedding samples = embedded(RandomImages(30, 2));
  Embedding reference = samples;
  reference.pool = metrics::gaussian_of(at::rand({10, 7}));
  EXPECT_NE(message_of([&] {
              evaluate(samples, reference, extractor_, {}, progress_, stop_);
            }).find("has 7 features per image"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::evaluation
