// What `sextant calibrate` measures and writes.
#include <ATen/core/grad_mode.h>

#include <csignal>
#include <cstdlib>

#include "commands/calibrate_fixture.h"
#include "internal/runtime/files.h"
#include "sextant/data/images.h"
#include "sextant/models/denoiser.h"
#include "sextant/report/drawing.h"

namespace sextant::testing {
namespace {

// ---- measuring ------------------------------------------------------------------------------------------------

TEST_F(Calibrate, MeasuresTheLogitsOfTheClassifier) {
  config_.measures.bins = 10;
  config_.measures.beta = 1e-3;
  const CalibrateResult result = go(config_);
  ASSERT_TRUE(result.complete);
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_TRUE(result.means.empty());
  EXPECT_EQ(result.rows[0].input, commands::Shown::kClean);
  EXPECT_EQ(result.rows[0].measures.diagram.count.numel(), 10);
  expect_same(result.rows[0].measures, measure(logits_of(config_.classifier.path, pixels(200)), labels_, {10, 1e-3}));
}

TEST_F(Calibrate, TakesTheFirstImagesAndAnyBatch) {
  config_.count = 50;
  config_.levels = "0.3";
  const CalibrateResult whole = go(config_);
  config_.batch = 7;
  const CalibrateResult parts = go(config_);
  ASSERT_EQ(whole.rows.size(), 2u);
  for (std::size_t row = 0; row < 2; ++row) expect_same(parts.rows[row].measures, whole.rows[row].measures);
  const Tensor f = logits_of(config_.classifier.path, pixels(50));
  expect_same(whole.rows[0].measures, measure(f, labels_.slice(0, 0, 50)));
}

// ---- what is written and printed ------------------------------------------------------------------------------

TEST_F(Calibrate, WritesNumbersTablesAndDiagrams) {
  config_.run.out = folder_ / "out";
  config_.count = 20;
  config_.softplus_sweep = "0,5";
  config_.levels = "0.1,0.5";
  const CalibrateResult result = go(config_);
  for (const char* name : {"calibration.json", "table.md", "table.csv"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / name)) << name;
  }
  for (const char* name : {"reliability-relu.svg", "reliability-relu.png", "reliability-softplus-5.svg", "softplus.svg",
                           "softplus.png", "ece.svg", "ece.png", "accuracy.svg", "nll.svg"}) {
    EXPECT_EQ(std::filesystem::exists(folder_ / "out" / name), report::can_draw()) << name;
  }
  const auto record = nlohmann::json::parse(read_file(folder_ / "out/calibration.json"));
  EXPECT_EQ(record["command"], "calibrate");
  EXPECT_EQ(record["config"]["levels"]["levels"], "0.1,0.5");
  ASSERT_EQ(record["calibration"]["rows"].size(), 6);
  EXPECT_EQ(record["calibration"]["rows"][2]["level"], 0.1);
  EXPECT_EQ(record["calibration"]["rows"][0]["bins"].size(), 15);
  EXPECT_EQ(record["calibration"]["means"].size(), 2);
  EXPECT_EQ(nlohmann::json::parse(commands::calibrate_text(result, commands::Format::kJson)), record["calibration"]);
  const std::string csv = commands::calibrate_text(result, commands::Format::kCsv);
  EXPECT_EQ(csv.substr(0, csv.find(",accuracy")), "classifier,input,level");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 6 + 2);
  EXPECT_NE(commands::calibrate_text(result, commands::Format::kTable).find("clean images"), std::string::npos);
  EXPECT_EQ(commands::calibrate_text(result, commands::Format::kMarkdown).front(), '|');
}

TEST_F(Calibrate, StopsWithoutWriting) {
  config_.run.out = folder_ / "out";
  std::ostringstream ignored;
  Stop stop;
  stop.request(SIGINT);
  EXPECT_FALSE(commands::run_calibrate(config_, *make_progress(ProgressStyle::kQuiet, ignored), stop).complete);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/calibration.json"));
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
    config_.classifier.path = bundled(name);
    const auto m = go(config_).rows[0].measures;
    const auto stated = models::describe(config_.classifier.path, "").config["measured"];
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
  const auto classifier = models::open_classifier({.path = bundled("mnist-noisy-classifier")}, {});
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
      logits.push_back(classifier.logits(x_t.slice(0, i, i + 250), at::full({250}, stated.t, at::kLong)));
    }
    const auto m = measure(at::cat(logits), labels);
    EXPECT_NEAR(m.accuracy, stated.accuracy, 0.0011) << stated.t;  // bundled in float16: two images may turn
    EXPECT_NEAR(m.ece, stated.ece, 0.0015) << stated.t;
    EXPECT_NEAR(m.nll, stated.nll, 0.0005) << stated.t;
  }
}

}  // namespace
}  // namespace sextant::testing
