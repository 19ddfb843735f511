// Folders and files as people have them, through evaluate, calibrate and finetune.
#include <map>
#include <nlohmann/json.hpp>

#include "cli/train_fixture.h"
#include "support/golden.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;
using sextant::testing::source_dir;

class Folders : public ::testing::Test {
 protected:
  /// The first `each` digits of every class as PNG files, in folders that `name` names.
  template <typename Name>
  std::string digits_in(const std::string& folder, int64_t each, Name name) const {
    const auto stored = checkpoint::load_npz(digits());
    std::map<int64_t, int64_t> seen;
    for (int64_t i = 0; i < stored.at("arr_1").numel(); ++i) {
      const auto label = stored.at("arr_1")[i].item<int64_t>();
      if (seen[label]++ >= each) continue;
      fs::create_directories(folder_ / folder / name(label));
      report::write_png(folder_ / folder / name(label) / (std::to_string(i) + ".png"), stored.at("arr_0")[i]);
    }
    return folder_ / folder;
  }
  static Outcome evaluate(const std::string& samples, const Words& more) {
    Words words = {"evaluate", samples, "--threads", "1", "--quiet", "--format", "json"};
    words.insert(words.end(), more.begin(), more.end());
    return sextant(words);
  }
  const TemporaryFolder folder_;
};

TEST_F(Folders, OfUnknownNamesHaveNoAccuracyUnasked) {
  const std::string letters =
      digits_in("letters", 4, [](int64_t label) { return std::string(1, static_cast<char>('z' - label)); });
  const Words network = {"--features", bundled("mnist-features"), "--reference", digits(), "--no-cache"};
  const Outcome unasked = evaluate(letters, network);
  ASSERT_EQ(unasked.exit_code, 0) << unasked.err;
  const json numbers = json::parse(unasked.out);
  EXPECT_FALSE(numbers["metrics"].contains("accuracy"));
  EXPECT_FALSE(numbers["metrics"].contains("ece"));
  EXPECT_NE(numbers["notes"].dump().find("left out: accuracy, ece (nothing says that the sorted names"),
            std::string::npos)
      << numbers["notes"];
  EXPECT_NE(unasked.err.find("0 q, 1 r, 2 s"), std::string::npos) << unasked.err;
  // z is 0 and stands last: sorted places are the wrong way round, and all but none are wrong.
  Words asked = network;
  asked.insert(asked.end(), {"--metrics", "accuracy"});
  EXPECT_LT(json::parse(evaluate(letters, asked).out)["metrics"]["accuracy"]["value"], 0.2);
}

TEST_F(Folders, OfNumbersAreJudgedWithoutReferenceAndFeatureNetwork) {
  const std::string prefixed = digits_in("prefixed", 4, [](int64_t label) { return std::to_string(label) + "_digit"; });
  const Outcome outcome =
      evaluate(prefixed, {"--classifier", bundled("mnist-classifier"), "--metrics", "accuracy+ece"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json numbers = json::parse(outcome.out);
  EXPECT_GT(numbers["metrics"]["accuracy"]["value"], 0.95);
  EXPECT_FALSE(numbers.contains("reference"));
  EXPECT_FALSE(numbers.contains("extractor"));
  EXPECT_NE(numbers["notes"].dump().find("40 images in 15 bins"), std::string::npos);
}

TEST_F(Folders, OfOneImageHaveAnAccuracy) {
  const std::string one = digits_in("one", 1, [](int64_t label) { return std::to_string(label); });
  for (int64_t label = 0; label < 10; ++label) {
    if (label != 7) fs::remove_all(fs::path(one) / std::to_string(label));
  }
  const Outcome outcome = evaluate(one, {"--classifier", bundled("mnist-classifier"), "--metrics", "accuracy"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["metrics"]["accuracy"]["value"], 1);
}

TEST_F(Folders, OfParentsOfPartsAreRefusedWithThePartsName) {
  digits_in("set/train", 1, [](int64_t label) { return std::to_string(label); });
  digits_in("set/val", 1, [](int64_t label) { return std::to_string(label); });
  const Outcome outcome = evaluate(folder_ / "set", {"--features", bundled("mnist-features"), "--reference", digits()});
  expect_refusal(outcome, 1, "give one of them, such as " + (folder_ / "set/train").string());
}

TEST_F(Folders, OfCifarInPythonAreMeasured) {
  const Outcome outcome = sextant({"calibrate", "--classifier", bundled("mnist-classifier"), "--data",
                                   source_dir() / "tests/data/cifar/ten", "--threads", "1", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Outcome hundred = sextant({"calibrate", "--classifier", bundled("mnist-classifier"), "--data",
                                   source_dir() / "tests/data/cifar/hundred-4", "--split", "train", "--threads", "1",
                                   "--cifar100-labels", "coarse"});
  expect_refusal(hundred, 2, "has 20");
}

TEST_F(Folders, SortedByClassAreCountedFromTheFirst) {
  const std::string set = digits_in("set", 4, [](int64_t label) { return std::to_string(label); });
  const Outcome outcome = sextant({"calibrate", "--classifier", bundled("mnist-classifier"), "--data", set, "--count",
                                   "12", "--threads", "1", "--quiet"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("are of 3 of its 10 classes"), std::string::npos) << outcome.err;
}

TEST_F(Folders, OfSeveralSizesAreFineTunedAtOneSizeByAnInputThatIsSaved) {
  const std::string set = digits_in("set", 4, [](int64_t label) { return std::to_string(label); });
  report::write_png(fs::path(set) / "3/large.png", at::zeros({60, 40, 1}, at::kByte));
  const Outcome outcome =
      sextant({"finetune", "--model", bundled("mnist-classifier"), "--data", set, "--hold-out", "10", "--steps", "2",
               "--batch", "4", "--threads", "1", "--classifier-input", "half", "--out", folder_ / "o"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json config = json::parse(read_file(folder_ / "o/config.json"));
  EXPECT_EQ(config["input"]["range"], (std::vector<double>{0, 1}));
  EXPECT_FALSE(config["input"].contains("mean"));
}

TEST_F(Folders, OfStatisticsOfAnotherNetworkSayWhatTheyHold) {
  const std::string set = digits_in("set", 2, [](int64_t label) { return std::to_string(label); });
  const Outcome outcome = evaluate(set, {"--features", bundled("mnist-features"), "--metrics", "fid", "--reference",
                                         source_dir() / "tests/evaluation/statistics/edm2.4.pkl"});
  expect_refusal(outcome, 1, "none could be of a network of 128 features an image");
}

}  // namespace
}  // namespace sextant::cli::testing
