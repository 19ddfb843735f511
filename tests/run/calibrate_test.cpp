// Runs of `sextant calibrate` against what its parts say, on 200 MNIST digits and the bundled models.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "run/calibrate_data.h"
#include "run/filled_model.h"
#include "runtime/files.h"
#include "sextant/calibrate_run.h"
#include "sextant/checkpoint.h"
#include "sextant/data.h"
#include "sextant/error.h"
#include "sextant/noise.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using calibration::measure;
using run::CalibrateConfig;
using run::CalibrateResult;
using run::CalibrateRow;

std::string bundled(const std::string& name) { return source_dir() / "models" / name; }

class Calibrate : public ::testing::Test {
 protected:
  Calibrate() {
    const auto arrays = load_npz(source_dir() / "tests/models/data/mnist_test_200.npz");
    bytes_ = arrays.at("arr_0").unsqueeze(3);
    labels_ = arrays.at("arr_1").to(at::kLong);
    write(bytes_, labels_);
    config_.classifier = bundled("mnist-classifier-overconfident");
    config_.data = folder_ / "digits.npz";
    config_.threads = 1;
  }

  void write(const Tensor& images, const Tensor& labels) const {
    save_npz(folder_ / "digits.npz", {{"arr_0", images}, {"arr_1", labels}});
  }

  static CalibrateResult go(const CalibrateConfig& config) {
    std::ostringstream ignored;
    return run::run_calibrate(config, *make_progress(ProgressStyle::kQuiet, ignored), Stop());
  }

  /// What a run says instead of its result, with its exit code before it.
  static std::string refusal(const CalibrateConfig& config) {
    try {
      go(config);
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return std::to_string(error.exit_code()) + " " + message;
    }
    return "";
  }
  static void expect_refusal(const CalibrateConfig& config, const std::string& code, const std::string& part) {
    const std::string message = refusal(config);
    EXPECT_EQ(message.substr(0, 1), code) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }

  /// Pixels of the first `count` digits as networks see them.
  Tensor pixels(int64_t count) const {
    return bytes_.slice(0, 0, count).permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  }
  static Tensor logits_of(const std::string& classifier, const Tensor& x, const Tensor& t = {}) {
    const at::NoGradGuard no_grad;
    return models::open_classifier(classifier, "", {}, {})->logits(x, t);
  }

  static void expect_same(const calibration::Measures& actual, const calibration::Measures& expected) {
    EXPECT_EQ(actual.count, expected.count);
    EXPECT_EQ(actual.accuracy, expected.accuracy);
    EXPECT_NEAR(actual.ece, expected.ece, 1e-5);
    EXPECT_NEAR(actual.nll, expected.nll, 1e-5);
    EXPECT_NEAR(actual.confidence, expected.confidence, 1e-6);
    EXPECT_NEAR(actual.smooth_ece, expected.smooth_ece, 1e-5);
  }

  /// A picture for each class 0 to `classes` - 1, in a folder for each.
  std::filesystem::path class_folders(int classes) const {
    const std::filesystem::path root = folder_ / "classes";
    for (int k = 0; k < classes; ++k) {
      std::filesystem::create_directories(root / std::to_string(k));
      std::filesystem::copy_file(source_dir() / "docs/demo.png", root / std::to_string(k) / "0.png",
                                 std::filesystem::copy_options::overwrite_existing);
    }
    return root;
  }

  const TemporaryFolder folder_;
  Tensor bytes_, labels_;
  CalibrateConfig config_;
};

// ---- measuring ------------------------------------------------------------------------------------------------

TEST_F(Calibrate, MeasuresTheLogitsOfTheClassifier) {
  config_.bins = 10;
  config_.beta = 1e-3;
  const CalibrateResult result = go(config_);
  ASSERT_TRUE(result.complete);
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_TRUE(result.means.empty());
  EXPECT_EQ(result.rows[0].input, "clean");
  EXPECT_EQ(result.rows[0].measures.diagram.count.numel(), 10);
  expect_same(result.rows[0].measures, measure(logits_of(config_.classifier, pixels(200)), labels_, {10, 1e-3}));
}

TEST_F(Calibrate, TakesTheFirstImagesAndAnyBatch) {
  config_.count = 50;
  config_.levels = "0.3";
  const CalibrateResult whole = go(config_);
  config_.batch = 7;
  const CalibrateResult parts = go(config_);
  ASSERT_EQ(whole.rows.size(), 2u);
  for (std::size_t row = 0; row < 2; ++row) expect_same(parts.rows[row].measures, whole.rows[row].measures);
  const Tensor f = logits_of(config_.classifier, pixels(50));
  expect_same(whole.rows[0].measures, measure(f, labels_.slice(0, 0, 50)));
}

// ---- noise levels ---------------------------------------------------------------------------------------------

TEST_F(Calibrate, AddsTheNoiseOfEachSamplesOwnStream) {
  config_.count = 40;
  config_.levels = "0,0.6";
  config_.seed = 5;
  const CalibrateResult result = go(config_);
  ASSERT_EQ(result.rows.size(), 3u);
  expect_same(result.rows[1].measures, result.rows[0].measures);  // no noise
  std::vector<int64_t> samples(40);
  for (int64_t i = 0; i < 40; ++i) samples[static_cast<std::size_t>(i)] = i;
  const Tensor noisy = pixels(40) + 0.6 * Noise(5, samples, {1, 28, 28}).initial();
  const auto expected = measure(logits_of(config_.classifier, noisy), labels_.slice(0, 0, 40));
  EXPECT_LT(expected.accuracy, result.rows[0].measures.accuracy);
  expect_same(result.rows[2].measures, expected);
}

TEST_F(Calibrate, ShowsNoisedImagesAndTheModelsEstimates) {
  config_.count = 8;
  config_.model = bundled("mnist-adm");
  const models::DiffusionModel model = models::open_diffusion(config_.model, "", {});
  const diffusion::Process process(model.process);
  const Tensor labels = labels_.slice(0, 0, 8);
  const at::NoGradGuard no_grad;
  const Tensor x_t = process.q_sample(pixels(8), 400, Noise(0, {0, 1, 2, 3, 4, 5, 6, 7}, {1, 28, 28}).at_step(400));
  const diffusion::ModelDenoiser denoiser(model.function(), process, model.sample_shape());
  for (const bool unconditional : {false, true}) {
    config_.unconditional = unconditional;
    config_.levels = "400";
    const CalibrateResult result = go(config_);
    ASSERT_EQ(result.rows.size(), 3u);
    EXPECT_EQ(result.rows[1].input, "xt");
    expect_same(result.rows[1].measures, measure(logits_of(config_.classifier, x_t), labels));
    const Tensor told = unconditional ? at::full_like(labels, 10) : labels;
    const Tensor x0 = denoiser.predict(x_t, 400, told).x0;
    EXPECT_LE(x0.abs().max().item<double>(), 1);
    EXPECT_EQ(result.rows[2].input, "x0");
    expect_same(result.rows[2].measures, measure(logits_of(config_.classifier, x0), labels));
  }
}

TEST_F(Calibrate, MeansAreOverTheLevelsAndALevelDoesNotDependOnOthers) {
  config_.classifier = bundled("mnist-noisy-classifier");
  config_.count = 30;
  config_.levels = "100,500,900";
  const CalibrateResult several = go(config_);
  ASSERT_EQ(several.rows.size(), 4u);
  ASSERT_EQ(several.means.size(), 1u);
  double ece = 0;
  for (std::size_t row = 1; row < 4; ++row) ece += several.rows[row].measures.ece / 3;
  EXPECT_NEAR(several.means[0].measures.ece, ece, 1e-15);
  EXPECT_FALSE(several.means[0].level);
  config_.levels = "500";
  expect_same(go(config_).rows[1].measures, several.rows[2].measures);
}

TEST_F(Calibrate, TellsANoiseAwareClassifierTheTimestep) {
  config_.classifier = bundled("mnist-noisy-classifier");
  config_.count = 20;
  config_.levels = "600";
  std::vector<int64_t> samples(20);
  for (int64_t i = 0; i < 20; ++i) samples[static_cast<std::size_t>(i)] = i;
  const diffusion::Process process(
      models::process_config(models::describe(config_.classifier, "").config["diffusion"]));
  const Tensor x_t = process.q_sample(pixels(20), 600, Noise(0, samples, {1, 28, 28}).at_step(600));
  const Tensor labels = labels_.slice(0, 0, 20);
  const Tensor f = logits_of(config_.classifier, x_t, at::full({20}, 600, at::kLong));
  expect_same(go(config_).rows[1].measures, measure(f, labels));
  // At another time it answers otherwise, so the time did arrive.
  EXPECT_FALSE(at::allclose(f, logits_of(config_.classifier, x_t, at::zeros({20}, at::kLong)), 1e-3, 1e-3));
}

TEST_F(Calibrate, TakesTheLevelsOfAnEdmModelForDeviations) {
  write_model(folder_ / "edm", tiny_edm());
  write_model(folder_ / "resnet", tiny_resnet());
  const Tensor images = at::arange(6 * 16 * 16 * 3).remainder(251).to(at::kByte).view({6, 16, 16, 3});
  const Tensor labels = at::arange(6, at::kLong);
  write(images, labels);
  config_.classifier = folder_ / "resnet";
  config_.model = folder_ / "edm";
  config_.levels = "0.5";
  const at::NoGradGuard no_grad;
  const Tensor x0 = images.permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  const Tensor x = x0 + 0.5 * Noise(0, {0, 1, 2, 3, 4, 5}, {3, 16, 16}).initial();
  const auto model = models::open_diffusion(config_.model, "", {});
  for (const bool unconditional : {false, true}) {
    config_.unconditional = unconditional;
    const CalibrateResult result = go(config_);
    ASSERT_EQ(result.rows.size(), 3u);
    expect_same(result.rows[1].measures, measure(logits_of(config_.classifier, x), labels));
    const Tensor estimate = model.sigma->denoise(x, at::full({6}, 0.5), unconditional ? Tensor() : labels);
    expect_same(result.rows[2].measures, measure(logits_of(config_.classifier, estimate.clamp(-1, 1)), labels));
  }
  config_.levels = "";
  EXPECT_EQ(go(config_).rows.size(), 1u + 2u * 9u);
  config_.levels = "0";
  expect_refusal(config_, "2", "--levels: 0 is no standard deviation of noise");
  write_model(folder_ / "resnet7", tiny_resnet(3, 7));
  config_.classifier = folder_ / "resnet7";
  config_.unconditional = false;
  config_.levels = "1";
  expect_refusal(config_, "2", "has 7 classes but model ");
}

TEST_F(Calibrate, ComparesSoftplusBetas) {
  config_.softplus_sweep = "0,3";
  config_.levels = "0.3";
  config_.count = 40;
  const CalibrateResult result = go(config_);
  ASSERT_EQ(result.rows.size(), 4u);
  EXPECT_EQ(result.rows[0].variant, "relu");
  EXPECT_EQ(result.rows[1].variant, "softplus 3");
  EXPECT_EQ(result.means.size(), 2u);
  config_.softplus_sweep = "";
  config_.softplus_beta = 3;
  expect_same(go(config_).rows[1].measures, result.rows[3].measures);
}

// ---- repair ---------------------------------------------------------------------------------------------------

TEST_F(Calibrate, FitsATemperatureOnWhatItHoldsOut) {
  config_.fit = "temperature";
  config_.fit_share = 0.6;
  const CalibrateResult result = go(config_);
  ASSERT_TRUE(result.fit);
  EXPECT_EQ(result.fit->count, 120);
  const run::CalibrateData data = run::open_data(config_, 1);
  const Tensor held_out = at::tensor(data.fitted->numbers, at::kLong);
  const Tensor f = logits_of(config_.classifier, pixels(200)).index_select(0, held_out);
  const double expected = calibration::fit_temperature(f, data.fitted->labels);
  EXPECT_NEAR(result.fit->rescaling.temperature, expected, 1e-4 * expected);
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(result.rows[0].variant, "before");
  EXPECT_EQ(result.rows[1].variant, "after");
  EXPECT_EQ(result.rows[1].measures.count, 80);
  EXPECT_EQ(result.rows[0].measures.accuracy, result.rows[1].measures.accuracy);
  EXPECT_NE(result.rows[0].measures.confidence, result.rows[1].measures.confidence);
  EXPECT_EQ(go(config_).fit->rescaling.temperature, result.fit->rescaling.temperature);
  config_.seed = 1;
  EXPECT_NE(go(config_).fit->rescaling.temperature, result.fit->rescaling.temperature);
}

TEST_F(Calibrate, HoldsOutWhatItDoesNotMeasure) {
  config_.fit = "vector";
  config_.fit_share = 0.25;
  config_.count = 100;
  const run::CalibrateData data = run::open_data(config_, 1);
  ASSERT_TRUE(data.fitted);
  EXPECT_EQ(data.fitted->numbers.size(), 25u);
  std::vector<int64_t> all = data.measured.numbers;
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  all.insert(all.end(), data.fitted->numbers.begin(), data.fitted->numbers.end());
  std::sort(all.begin(), all.end());
  for (int64_t i = 0; i < 100; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i);
  // Labels and pixels went with the numbers, and the share is not simply the first.
  const int64_t last = data.fitted->numbers.back();
  EXPECT_GT(last, 24);
  EXPECT_EQ(data.fitted->labels[24].item<int64_t>(), labels_[last].item<int64_t>());
  EXPECT_TRUE(at::equal(run::read_images(*data.fitted, 20, 25)[4], bytes_[last].permute({2, 0, 1})));
}

TEST_F(Calibrate, FitsOnOtherImagesWhenGivenSome) {
  save_npz(folder_ / "fit.npz", {{"arr_0", bytes_.slice(0, 50, 200)}, {"arr_1", labels_.slice(0, 50, 200)}});
  config_.fit = "temperature";
  config_.fit_data = folder_ / "fit.npz";
  config_.count = 50;
  const CalibrateResult result = go(config_);
  const Tensor f = logits_of(config_.classifier, pixels(200));
  const double expected = calibration::fit_temperature(f.slice(0, 50), labels_.slice(0, 50));
  EXPECT_NEAR(result.fit->rescaling.temperature, expected, 1e-4 * expected);
  const Tensor scaled = f.slice(0, 0, 50) / result.fit->rescaling.temperature;
  expect_same(result.rows[1].measures, measure(scaled, labels_.slice(0, 0, 50)));
}

TEST_F(Calibrate, FitsWhereTheClassifierIsUsed) {
  config_.fit = "temperature";
  config_.fit_on = "xt";
  config_.levels = "0.3,0.6";
  const CalibrateResult noisy = go(config_);
  config_.fit_on = "clean";
  const CalibrateResult clean = go(config_);
  EXPECT_GT(noisy.fit->rescaling.temperature, 1.5 * clean.fit->rescaling.temperature);
  ASSERT_EQ(noisy.means.size(), 2u);
  EXPECT_EQ(noisy.means[1].variant, "after");
  EXPECT_LT(noisy.means[1].measures.nll, 0.7 * noisy.means[0].measures.nll);
  EXPECT_LT(noisy.means[1].measures.ece, noisy.means[0].measures.ece);
}

TEST_F(Calibrate, SavesAClassifierThatAnswersAsMeasured) {
  for (const char* method : {"temperature", "vector"}) {
    config_.fit = method;
    config_.fit_share = 0.3;
    config_.save = folder_ / method;
    const CalibrateResult result = go(config_);
    CalibrateConfig again = config_;
    again.classifier = config_.save;
    again.save = "";
    const CalibrateResult reopened = go(again);
    expect_same(reopened.rows[0].measures, result.rows[1].measures);
    // Nothing is left to repair.
    if (result.fit->method == "temperature") {
      EXPECT_NEAR(reopened.fit->rescaling.temperature, 1, 1e-4);
    }
  }
}

// ---- what is written and printed ------------------------------------------------------------------------------

TEST_F(Calibrate, WritesNumbersTablesAndDiagrams) {
  config_.out = folder_ / "out";
  config_.count = 20;
  config_.softplus_sweep = "0,5";
  config_.levels = "0.1,0.5";
  const CalibrateResult result = go(config_);
  for (const char* name : {"calibration.json", "table.md", "table.csv", "reliability-relu.svg", "reliability-relu.png",
                           "reliability-softplus-5.svg", "softplus.svg", "softplus.png", "ece.svg", "ece.png",
                           "accuracy.svg", "nll.svg"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / name)) << name;
  }
  const auto record = nlohmann::json::parse(read_file(folder_ / "out/calibration.json"));
  EXPECT_EQ(record["command"], "calibrate");
  EXPECT_EQ(record["config"]["levels"]["levels"], "0.1,0.5");
  ASSERT_EQ(record["calibration"]["rows"].size(), 6);
  EXPECT_EQ(record["calibration"]["rows"][2]["level"], 0.1);
  EXPECT_EQ(record["calibration"]["rows"][0]["bins"].size(), 15);
  EXPECT_EQ(record["calibration"]["means"].size(), 2);
  EXPECT_EQ(nlohmann::json::parse(run::calibrate_text(result, "json")), record["calibration"]);
  const std::string csv = run::calibrate_text(result, "csv");
  EXPECT_EQ(csv.substr(0, csv.find(",accuracy")), "classifier,input,level");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 6 + 2);
  EXPECT_NE(run::calibrate_text(result, "table").find("clean images"), std::string::npos);
  EXPECT_EQ(run::calibrate_text(result, "md").front(), '|');
}

TEST_F(Calibrate, StopsWithoutWriting) {
  config_.out = folder_ / "out";
  std::ostringstream ignored;
  Stop stop;
  stop.request(SIGINT);
  EXPECT_FALSE(run::run_calibrate(config_, *make_progress(ProgressStyle::kQuiet, ignored), stop).complete);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/calibration.json"));
}

// ---- bad input ------------------------------------------------------------------------------------------------

TEST_F(Calibrate, RefusesALabelThatIsNoClassOfTheClassifier) {
  Tensor labels = labels_.clone();
  labels[3] = 10;
  write(bytes_, labels);
  expect_refusal(config_, "2", "digits.npz image 3: its label 10 is no class of classifier ");
  labels[3] = -1;
  write(bytes_, labels);
  expect_refusal(config_, "1", "negative labels");
}

TEST_F(Calibrate, RefusesADataSetOfOtherClasses) {
  config_.data = class_folders(3);
  expect_refusal(config_, "2", "has 10 classes but " + config_.data + " has 3");
}

TEST_F(Calibrate, RefusesImagesWithoutLabels) {
  save_npz(folder_ / "digits.npz", {{"arr_0", bytes_}});
  expect_refusal(config_, "1", "digits.npz: has no labels");
}

TEST_F(Calibrate, NamesAnEmptyClassAndAnUnreadableImage) {
  config_.data = class_folders(10);
  std::filesystem::remove(folder_ / "classes/4/0.png");
  expect_refusal(config_, "1", "classes/4: is the folder of a class but holds no");
  std::ofstream(folder_ / "classes/4/0.png") << "no picture";
  expect_refusal(config_, "1", "classes/4/0.png: ");
}

TEST_F(Calibrate, RefusesAnswersThatAreNotFinite) {
  const std::filesystem::path broken = folder_ / "broken";
  std::filesystem::create_directories(broken);
  std::filesystem::copy_file(config_.classifier + "/config.json", broken / "config.json");
  StateDict weights = load(config_.classifier + "/model.safetensors");
  weights.set("fc.bias", at::full({10}, NAN));
  save_safetensors(broken / "model.safetensors", weights);
  config_.classifier = broken;
  expect_refusal(config_, "1", "answers clean images with logits that are not finite, among images 0 to 99 of");
}

TEST_F(Calibrate, RefusesLevelsThatDoNotExist) {
  config_.levels = "0.1,,2";
  expect_refusal(config_, "2", "--levels '0.1,,2': '' is no number");
  config_.levels = "-1";
  expect_refusal(config_, "2", "--levels: -1 is no standard deviation");
  config_.model = bundled("mnist-adm");
  for (const char* level : {"1000", "-1", "2.5"}) {
    config_.levels = level;
    expect_refusal(config_, "2", std::string("--levels: ") + level + " is no timestep of ");
  }
  config_.levels = "nan";
  expect_refusal(config_, "2", "'nan' is no number");
}

TEST_F(Calibrate, RefusesWhatDoesNotFitTogether) {
  const auto expect = [&](auto change, const std::string& code, const std::string& part) {
    CalibrateConfig config = config_;
    change(config);
    expect_refusal(config, code, part);
  };
  expect([](auto& c) { c.classifier = ""; }, "2", "--classifier is needed");
  expect([](auto& c) { c.data = ""; }, "2", "--data is needed");
  expect([](auto& c) { c.data = "/nowhere"; }, "1", "/nowhere: does not exist");
  expect([](auto& c) { c.classifier = bundled("mnist-adm"); }, "1", "is no classifier");
  expect([](auto& c) { c.count = 201; }, "2", "--count 201");
  expect([](auto& c) { c.save = "x"; }, "2", "--save needs a --fit");
  expect([](auto& c) { c.fit_split = "train"; }, "2", "need a --fit");
  expect([](auto& c) { c.inputs = "x0"; }, "2", "--inputs x0 needs --levels or a --model");
  expect([](auto& c) { c.inputs = "x0", c.levels = "1"; }, "2", "--inputs x0 needs a --model");
  expect([](auto& c) { c.inputs = "auto+xt", c.levels = "1"; }, "2", "auto stands alone");
  expect([](auto& c) { c.fit = "temperature", c.fit_on = "xt"; }, "2", "--fit-on xt needs --levels");
  expect([](auto& c) { c.fit = "temperature", c.fit_on = "x0", c.levels = "1"; }, "2", "--fit-on x0 needs a --model");
  expect([](auto& c) { c.fit = "temperature", c.softplus_sweep = "0,3"; }, "2", "--fit repairs one network");
  expect([](auto& c) { c.softplus_beta = 1, c.softplus_sweep = "0,3"; }, "2", "contradict each other");
  expect([](auto& c) { c.softplus_sweep = "-3"; }, "2", "-3 is below 0");
  expect([](auto& c) { c.fit = "temperature", c.fit_data = c.data; }, "2", "is what is measured");
  expect([](auto& c) { c.fit = "temperature", c.count = 1; }, "2", "leaves none to measure on");
  expect([](auto& c) { c.classifier = bundled("mnist-noisy-classifier"), c.softplus_beta = 3; }, "2", "no ReLU");
  expect([&](auto& c) { c.fit = "temperature", c.save = bundled("mnist-classifier-overconfident"); }, "2",
         "is the folder of the classifier itself");
}

TEST_F(Calibrate, RefusesImagesOfAnotherKind) {
  write(bytes_.expand({-1, -1, -1, 3}), labels_);
  expect_refusal(config_, "2", "takes images of 1 channels, those of ");
  write(bytes_.slice(1, 0, 27), labels_);
  config_.model = bundled("mnist-adm");
  expect_refusal(config_, "2", "draws [1, 28, 28] (channels, height, width), the images of ");
}

// ---- published numbers ----------------------------------------------------------------------------------------

/// MNIST's test images where SEXTANT_DATA_DIR has them.
std::string mnist() {
  const char* folder = std::getenv("SEXTANT_DATA_DIR");
  const std::filesystem::path path = std::filesystem::path(folder ? folder : "") / "mnist";
  return folder && std::filesystem::exists(path / "t10k-images-idx3-ubyte.gz") ? path.string() : "";
}

TEST_F(Calibrate, GivesTheNumbersOfTheBundledClassifiers) {
  if (mnist().empty()) GTEST_SKIP() << "SEXTANT_DATA_DIR has no mnist/";
  config_.data = mnist();
  for (const char* name : {"mnist-classifier", "mnist-classifier-overconfident"}) {
    config_.classifier = bundled(name);
    const auto m = go(config_).rows[0].measures;
    const auto stated = models::describe(config_.classifier, "").config["measured"];
    EXPECT_NEAR(m.accuracy, stated["accuracy, 10000 test images"], 1e-9) << name;
    EXPECT_NEAR(m.ece, stated["ECE, 15 bins"], 1.5e-4) << name;
    EXPECT_NEAR(m.nll, stated["NLL"], 1e-4) << name;
    EXPECT_NEAR(m.confidence, stated["mean confidence"], 1e-4) << name;
  }
}

/// The noise of the stated numbers was drawn by PyTorch: 2000 images a level, one generator through all.
TEST_F(Calibrate, GivesTheNumbersOfTheNoiseAwareClassifierForTheSameNoise) {
  if (mnist().empty()) GTEST_SKIP() << "SEXTANT_DATA_DIR has no mnist/";
  struct Stated {
    int64_t t;
    double accuracy, ece, nll;
  };
  constexpr int64_t kDrawn[] = {0, 100, 250, 400, 500, 600, 750, 900};
  const std::vector<Stated> stated_rows = {
      {0, 0.9905, 0.0076, 0.0255}, {500, 0.9675, 0.0082, 0.0858}, {900, 0.2760, 0.0235, 2.0290}};
  const at::NoGradGuard no_grad;
  const auto images = data::open_labelled(mnist(), {data::Split::kTest, {}, 1});
  const Tensor x0 = images->batch(0, 2000).permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  const Tensor labels = images->labels().slice(0, 0, 2000);
  const auto classifier = models::open_classifier(bundled("mnist-noisy-classifier"), "", {}, {});
  const diffusion::Process process(
      models::process_config(models::describe(bundled("mnist-noisy-classifier"), "").config["diffusion"]));
  auto generator = at::detail::createCPUGenerator(5);
  for (const int64_t t : kDrawn) {
    const Tensor x_t = process.q_sample(x0, t, at::randn(x0.sizes(), generator));
    const auto row =
        std::find_if(stated_rows.begin(), stated_rows.end(), [&](const Stated& some) { return some.t == t; });
    if (row == stated_rows.end()) continue;  // only its noise is drawn
    const Stated& stated = *row;
    std::vector<Tensor> logits;
    for (int64_t i = 0; i < 2000; i += 250) {
      logits.push_back(classifier->logits(x_t.slice(0, i, i + 250), at::full({250}, stated.t, at::kLong)));
    }
    const auto m = measure(at::cat(logits), labels);
    EXPECT_NEAR(m.accuracy, stated.accuracy, 0.0011) << stated.t;  // bundled in float16: two images may turn
    EXPECT_NEAR(m.ece, stated.ece, 0.0015) << stated.t;
    EXPECT_NEAR(m.nll, stated.nll, 0.0005) << stated.t;
  }
}

}  // namespace
}  // namespace sextant::testing
