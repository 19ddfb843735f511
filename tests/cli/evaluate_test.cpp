#include <fstream>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/report/drawing.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Labelled noise of 28x28 pixels as an .npz of samples.
fs::path noise_samples(const fs::path& path, int64_t count, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  checkpoint::save_npz(path, {{"arr_0", at::randint(0, 256, {count, 28, 28, 1}, generator, at::kByte)},
                              {"arr_1", at::arange(count, at::kLong) % 10}});
  return path;
}

class EvaluateCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    noise_samples(folder_ / "a.npz", 40, 1);
    noise_samples(folder_ / "b.npz", 50, 2);
  }
  /// `sextant evaluate a.npz` with the bundled network, then `more`.
  Outcome evaluate(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {
        "evaluate", (folder_ / "a.npz").string(), "--features", bundled("mnist-features"), "--threads", "1", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return sextant(words);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  static double value(const json& evaluation, const std::string& key) { return evaluation["metrics"][key]["value"]; }

  TemporaryFolder folder_;
};

TEST_F(EvaluateCommand, PrintsEveryNumberThatImagesAllow) {
  const Outcome outcome = evaluate({"--reference", path("b.npz"), "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json evaluation = json::parse(outcome.out);
  for (const char* key : {"fid", "is", "precision", "recall", "density", "coverage", "kid", "accuracy", "ece"}) {
    EXPECT_TRUE(evaluation["metrics"].contains(key)) << key;
  }
  EXPECT_EQ(evaluation["samples"]["count"], 40);
  EXPECT_EQ(evaluation["reference"]["count"], 50);
  EXPECT_EQ(evaluation["protocol"], "openai");
  EXPECT_EQ(evaluation["extractor"]["hash"].get<std::string>().size(), 32);
}

TEST_F(EvaluateCommand, ScoresASetAgainstItselfAsPerfect) {
  const Outcome outcome = evaluate({"--reference", path("a.npz"), "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json evaluation = json::parse(outcome.out);
  EXPECT_LT(value(evaluation, "fid"), 1e-6);
  EXPECT_EQ(value(evaluation, "precision"), 1);
  EXPECT_EQ(value(evaluation, "recall"), 1);
}

TEST_F(EvaluateCommand, GivesTheSameNumbersByImagesCacheAndSavedStatistics) {
  const std::vector<std::string> fid = {"--metrics", "fid", "--bootstrap-fid", "0", "--format", "json", "--reference"};
  const auto with = [&](const std::string& reference) {
    std::vector<std::string> words = fid;
    words.push_back(reference);
    const Outcome outcome = evaluate(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return value(json::parse(outcome.out), "fid");
  };
  const double embedded = with(path("b.npz"));
  EXPECT_GT(embedded, 0);
  EXPECT_NEAR(with(path("b.npz")), embedded, 1e-9 * embedded);  // now from the cache beside it
  ASSERT_EQ(sextant({"evaluate", path("b.npz"), "--features", bundled("mnist-features"), "--save-stats",
                     path("stats.npz"), "--quiet"})
                .exit_code,
            0);
  EXPECT_NEAR(with(path("stats.npz")), embedded, 1e-9 * embedded);
}

TEST_F(EvaluateCommand, TakesTheFolderOfARunAndFoldersOfImages) {
  const Outcome drawn = sextant(small_run(folder_ / "run"));
  ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  fs::create_directories(folder_ / "png");
  const Tensor images = array_of(folder_ / "run");
  for (int64_t i = 0; i < images.size(0); ++i) {
    report::write_png(folder_ / ("png/" + std::to_string(i) + ".png"), images[i]);
  }
  const Outcome outcome = sextant({"evaluate", path("run"), "--reference", path("png"), "--features",
                                   bundled("mnist-features"), "--metrics", "fid", "--format", "csv", "--quiet"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string head = "metric,value,deviation,low,high,level\r\nfid,";
  ASSERT_EQ(outcome.out.find(head), 0) << outcome.out;
  EXPECT_LT(std::abs(std::stod(outcome.out.substr(head.size()))), 5e-5) << outcome.out;
}

TEST_F(EvaluateCommand, WritesMetricsAndTablesFromWhichItCanBeRepeated) {
  ASSERT_EQ(evaluate({"--reference", path("b.npz"), "--out", path("o"), "--protocol", "pytorch-fid"}).exit_code, 0);
  const json written = json::parse(read_file(folder_ / "o/metrics.json"));
  EXPECT_EQ(written["protocol"], "pytorch-fid");
  EXPECT_TRUE(written["versions"].contains("libtorch"));
  EXPECT_NE(read_file(folder_ / "o/table.md").find("| FID |"), std::string::npos);
  const Outcome again = sextant({"evaluate", "--recipe", path("o/metrics.json"), "--format", "json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(json::parse(again.out)["metrics"], written["metrics"]);
}

TEST_F(EvaluateCommand, ReadsLabelsByAnotherClassifier) {
  const Outcome outcome = evaluate({"--reference", path("b.npz"), "--classifier", bundled("mnist-classifier"),
                                    "--metrics", "accuracy+ece", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(json::parse(outcome.out)["classifier"].get<std::string>().find("mnist-classifier"), std::string::npos);
}

TEST_F(EvaluateCommand, NamesTheCorruptImageAmongGoodOnesOrLeavesItOut) {
  fs::create_directories(folder_ / "png");
  for (int i = 0; i < 6; ++i) {
    report::write_png(folder_ / ("png/" + std::to_string(i) + ".png"), at::full({28, 28, 1}, 30 * i, at::kByte));
  }
  const std::string whole = read_file(folder_ / "png/3.png");
  std::ofstream(folder_ / "png/3.png", std::ios::trunc) << whole.substr(0, whole.size() / 2);
  std::vector<std::string> words = {
      "evaluate", path("png"), "--reference", path("b.npz"), "--features", bundled("mnist-features"), "--quiet"};
  const Outcome refused = sextant(words);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("3.png"), std::string::npos) << refused.err;
  words.push_back("--skip-bad");
  const Outcome skipped = sextant(words);
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_NE(skipped.out.find("1 unreadable samples were left out, the first " + path("png/3.png")), std::string::npos)
      << skipped.out;
}

struct Refusal {
  std::string name;
  std::vector<std::string> words;  ///< after `evaluate`; "@x" stands for a file of the folder
  int exit_code;
  std::string says;
};

class EvaluateRefusal : public EvaluateCommand, public ::testing::WithParamInterface<Refusal> {
 protected:
  void SetUp() override {
    EvaluateCommand::SetUp();
    noise_samples(folder_ / "one.npz", 1, 3);
    fs::create_directories(folder_ / "empty");
    const std::string whole = read_file(folder_ / "a.npz");
    std::ofstream(folder_ / "short.npz") << whole.substr(0, whole.size() / 2);
    checkpoint::save_npz(folder_ / "wide.npz",
                         {{"mu", at::zeros({7}, at::kDouble)}, {"sigma", at::eye(7, at::kDouble)}});
    checkpoint::save_npz(folder_ / "photos.npz", {{"arr_0", at::zeros({4, 32, 32, 3}, at::kByte)}});
    fs::create_directories(folder_ / "mixed");
    report::write_png(folder_ / "mixed/0.png", at::zeros({28, 28, 1}, at::kByte));
    report::write_png(folder_ / "mixed/1.png", at::zeros({28, 30, 1}, at::kByte));
  }
};

TEST_P(EvaluateRefusal, SaysWhatIsWrongInOneLine) {
  std::vector<std::string> words = {"evaluate"};
  for (const std::string& word : GetParam().words) words.push_back(word[0] == '@' ? path(word.substr(1)) : word);
  if (GetParam().name != "NoInception") words.insert(words.end(), {"--features", bundled("mnist-features")});
  words.emplace_back("--quiet");
  const Outcome outcome = sextant(words);
  EXPECT_EQ(outcome.exit_code, GetParam().exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().says), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, EvaluateRefusal,
    ::testing::Values(
        Refusal{"NoSamples", {"--reference", "@b.npz"}, 2, "SAMPLES are needed"},
        Refusal{"NoReference", {"@a.npz"}, 2, "--reference is needed"},
        Refusal{"MissingFile", {"@nothing.npz", "--reference", "@b.npz"}, 1, "nothing.npz: does not exist"},
        Refusal{
            "EmptyFolder", {"@empty", "--reference", "@b.npz"}, 1, "holds no .png, .jpg, .jpeg, .bmp or .webp images"},
        Refusal{"OneSample", {"@one.npz", "--reference", "@b.npz"}, 1, "a covariance needs at least 2"},
        Refusal{"CutShort", {"@short.npz", "--reference", "@b.npz"}, 1, "short.npz"},
        Refusal{"OtherDimension", {"@a.npz", "--reference", "@wide.npz"}, 2, "7"},
        Refusal{"MixedSizes", {"@mixed", "--reference", "@b.npz"}, 1, "1.png is 30 x 28 pixels"},
        Refusal{"NoInception", {"@photos.npz", "--reference", "@b.npz"}, 2, "put pt_inception-2015-12-05-6726825d.pth"},
        Refusal{"UnknownMetric", {"@a.npz", "--reference", "@b.npz", "--metrics", "fdi"}, 2, "fid"},
        Refusal{"UnlabelledSamples",
                {"@mixed", "--resize", "--reference", "@b.npz", "--classifier", bundled("mnist-classifier")},
                2,
                "has no labels"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sextant::cli::testing
