// Whether a classifier sees images as it was trained to.
#include "calibrate/conventions.h"
#include "commands/calibrate_fixture.h"
#include "internal/runtime/files.h"

namespace sextant::testing {
namespace {

class Conventions : public Calibrate {
 protected:
  /// The notes of a run.
  static std::string notes(const CalibrateConfig& config) {
    std::ostringstream heard;
    commands::run_calibrate(config, *make_progress(ProgressStyle::kQuiet, heard), Stop());
    return heard.str();
  }
  /// The bundled classifier with another "input", null for none.
  std::string with_input(const nlohmann::json& input) const {
    const std::filesystem::path folder = folder_ / "changed", from = bundled("mnist-classifier");
    std::filesystem::create_directories(folder);
    nlohmann::json config = nlohmann::json::parse(read_file(from / "config.json"));
    config.erase("input");
    if (!input.is_null()) config["input"] = input;
    write_atomically(folder / "config.json", config.dump());
    std::filesystem::copy_file(from / "model.safetensors", folder / "model.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    return folder;
  }
  /// Share of every second of the 200 digits that is read rightly, in percent with one digit.
  std::string read_rightly(const std::string& path, models::ClassifierInput input) const {
    const at::NoGradGuard no_grad;
    const Tensor half = at::arange(0, 200, 2);
    const Tensor f = models::open_classifier({.path = path, .input = input}, {}).logits(pixels(200).index({half}), {});
    const auto right = f.argmax(1).eq(labels_.index({half})).sum().item<int64_t>();
    return std::to_string(right) + ".0 %";
  }
};

TEST_F(Conventions, ThatAreRightAreNotDoubted) {
  config_.classifier.path = bundled("mnist-classifier");
  const std::string heard = notes(config_);
  EXPECT_EQ(heard.find("rightly as it sees them"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("nothing says which input"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("that of guessing"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("as probabilities do"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("classifier-resize"), std::string::npos) << heard;
}

TEST_F(Conventions, ThatAreMissingAreSaidToBeAssumed) {
  config_.classifier.path = with_input(nullptr);
  const std::string heard = notes(config_);
  EXPECT_NE(heard.find("nothing says which input this classifier was trained with; it gets pixels in [-1, 1]"),
            std::string::npos)
      << heard;
}

TEST_F(Conventions, OfAFilterWhereNothingIsResizedAreSaidToChangeNothing) {
  config_.classifier.path = bundled("mnist-classifier");
  const std::string idle = "classifier-resize changes nothing";
  config_.classifier.resize = classifiers::Resize::kArea;
  EXPECT_NE(notes(config_).find(idle + ", as images are not resized for this classifier; classifier-size does that"),
            std::string::npos);
  config_.classifier.size = 28;  // which they are
  const std::string heard = notes(config_);
  EXPECT_NE(heard.find(idle), std::string::npos) << heard;
  EXPECT_EQ(heard.find("classifier-size does that"), std::string::npos) << heard;
}

TEST_F(Conventions, ThatAreMuchBetterAreNamedWithBothAccuracies) {
  using models::ClassifierInput;
  for (const nlohmann::json& input :
       {nlohmann::json({{"range", {0, 0.01}}}), nlohmann::json({{"range", {0, 1}}, {"mean", {5}}, {"std", {0.3}}}),
        nlohmann::json({{"range", {0, 1}}, {"mean", {2}}, {"std", {1}}})}) {
    config_.classifier.path = with_input(input);
    const std::string own = read_rightly(config_.classifier.path, ClassifierInput::kConfig);
    const std::string raw = read_rightly(config_.classifier.path, ClassifierInput::kRaw);
    const std::string half = read_rightly(config_.classifier.path, ClassifierInput::kHalf);
    const bool raw_is_better = std::stod(raw) > std::stod(half);
    ASSERT_GT(std::stod(raw_is_better ? raw : half), std::stod(own) + 20) << input;
    const std::string heard = notes(config_);
    EXPECT_NE(heard.find("the classifier reads " + own + " rightly as it sees them now, and " +
                         (raw_is_better ? raw : half) + " with --classifier-input " + (raw_is_better ? "raw" : "half")),
              std::string::npos)
        << input << ": " << heard;
  }
}

TEST_F(Conventions, ThatCannotBeRightAreDoubtedByAnAccuracyOfChance) {
  config_.classifier.path = bundled("mnist-classifier");
  write(bytes_, (labels_ + 1).remainder(10));
  const std::string heard = notes(config_);
  EXPECT_NE(heard.find("is about that of guessing among 10 classes (10.0 %)"), std::string::npos) << heard;
}

TEST(Logits, ThatAreProbabilitiesAreDoubted) {
  const Tensor f = at::tensor({0.0, 0.0, 0.0, 4.0, -1.0, 2.0}).view({2, 3});
  EXPECT_NE(commands::doubt_about_logits(f.softmax(1)).find("leave the softmax at its end out"), std::string::npos);
  EXPECT_NE(commands::doubt_about_logits(f.softmax(1).to(at::kBFloat16).to(at::kFloat)), "");
  for (const Tensor& logits : {f, f.log_softmax(1), f.softmax(1) * 2, f.softmax(1) - 0.1, f.sigmoid()}) {
    EXPECT_EQ(commands::doubt_about_logits(logits), "") << logits;
  }
}

}  // namespace
}  // namespace sextant::testing
