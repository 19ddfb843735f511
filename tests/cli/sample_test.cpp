#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kNoCharts = "note: built without cairo: no charts\n";

int64_t largest_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kInt) - b.to(at::kInt)).abs().max().item<int64_t>();
}

TEST(Sample, WritesImagesLabelsGridAndRecord) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(small_run(folder / "o"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "6 of 6 images in " + (folder / "o").string() + "\n");

  const Tensor images = array_of(folder / "o");
  EXPECT_EQ(images.scalar_type(), at::kByte);
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{6, 28, 28, 1}));
  EXPECT_TRUE(array_of(folder / "o", "arr_1").equal(at::arange(6, at::kLong)));
  EXPECT_GT(fs::file_size(folder / "o/grid.png"), 500);
  EXPECT_FALSE(fs::exists(folder / "o/samples.partial"));

  const json record = json::parse(read_file(folder / "o/run.json"));
  EXPECT_EQ(record["command"], "sample");
  EXPECT_EQ(record["config"]["guidance"]["guidance"], "plain");
  EXPECT_EQ(record["config"]["sampler"]["steps"], 4);
  EXPECT_TRUE(record["complete"].get<bool>());
  EXPECT_GT(record["gradient_norm"].get<double>(), 0);
  const json& trace = record["trace"];
  ASSERT_EQ(trace.size(), 4u);
  double mean = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(trace[i]["step"], 3 - i);
    EXPECT_EQ(trace[i]["images"], 6);
    EXPECT_GT(trace[i]["probability"].get<double>(), 0);
    EXPECT_LT(trace[i]["probability"].get<double>(), 1);
    mean += trace[i]["gradient_norm"].get<double>() / 4;
  }
  EXPECT_NEAR(mean, record["gradient_norm"].get<double>(), 1e-9 * mean);
  EXPECT_EQ(fs::exists(folder / "o/gradient-norm.svg"), report::can_draw());
  const json& timings = record["timings"];
  EXPECT_GT(timings["seconds_per_image"].get<double>(), 0);
  const double shares = timings["denoiser_share"].get<double>() + timings["classifier_share"].get<double>();
  EXPECT_GT(shares, 0.3);
  EXPECT_LE(shares, 1.0);
}

TEST(Sample, SaysInOneLineThatChartsAreLeftOutWhereTheyAre) {
  const TemporaryFolder folder;
  const Outcome drawn = sextant(small_run(folder / "o"));
  ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  EXPECT_EQ(drawn.err.find(kNoCharts) != std::string::npos, !report::can_draw()) << drawn.err;
  EXPECT_EQ(drawn.err.find(kNoCharts), drawn.err.rfind(kNoCharts)) << drawn.err;
  const Outcome looked = sextant({"inspect", folder / "o/samples.npz"});
  EXPECT_EQ(looked.err, "") << "it draws none anyway";
}

TEST(Sample, GivesTheSameBytesTheSecondTime) {
  const TemporaryFolder folder;
  for (const char* out : {"a", "b"}) {
    const Outcome outcome = sextant(small_run(folder / out, {"--guidance", "js", "--tilt", "-0.2"}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_EQ(read_file(folder / "a/samples.npz"), read_file(folder / "b/samples.npz"));
}

TEST(Sample, DrawsTheSameImagesInBatchesOfAnySize) {
  const TemporaryFolder folder;
  for (const char* batch : {"1", "7", "64"}) {
    const Outcome outcome =
        sextant(small_run(folder / batch, {"--batch", batch, "--count", "9", "--labels", "random"}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_LE(largest_difference(array_of(folder / batch), array_of(folder / "1")), 1) << batch;
    EXPECT_TRUE(array_of(folder / batch, "arr_1").equal(array_of(folder / "1", "arr_1")));
  }
}

TEST(Sample, DependsOnTheSeed) {
  const TemporaryFolder folder;
  for (const char* seed : {"1", "2"}) sextant(small_run(folder / seed, {"--seed", seed}));
  EXPECT_FALSE(array_of(folder / "1").equal(array_of(folder / "2")));
}

TEST(Sample, RunsEveryMethodSamplerAndKindOfInput) {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> variants = {
      {"--guidance", "none"},
      {"--guidance", "entropy+rkl", "--lambda-max", "0.3"},
      {"--guidance", "fkl", "--softplus-beta", "3", "--entropy-driven"},
      {"--guidance", "hellinger", "--guidance-interval", "0.2,0.9", "--gamma-max", "elucd"},
      {"--guidance", "js", "--js-form", "paper", "--guidance-input", "jacobian"},
      {"--tilt", "-0.2", "--tilt-group", "3", "--tilt-form", "sum"},
      {"--classifier", bundled("mnist-noisy-classifier"), "--guidance-input", "xt"},
      {"--guidance", "none", "--cfg-scale", "2"},
      {"--guidance", "none", "--cfg-scale", "2", "--cfg-interval", "0.3,10", "--cfg-channels", "all"},
      {"--guidance", "none", "--autoguidance-model", bundled("mnist-adm"), "--autoguidance-scale", "2"},
      {"--recurrence", "2", "--backward-steps", "2", "--backward-lr", "0.05"},
      {"--sampler", "ddim", "--recurrence", "2"},
      {"--unconditional"},
      {"--denoiser-label", "10"},
      {"--sampler", "ddim", "--eta", "0.5", "--guidance", "none"},
      {"--sampler", "ddim", "--respacing", "ddim5", "--guidance", "none"},
      {"--sampler", "dpmpp-2m", "--guidance", "none"},
      {"--sampler", "unipc", "--guidance", "none", "--rounding", "edm"},
      {"--classifier-input", "half", "--precision", "bf16"},
  };
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const fs::path out = folder / std::to_string(i);
    const Outcome outcome = sextant(small_run(out, variants[i]));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    if (outcome.exit_code != 0) continue;
    EXPECT_EQ(array_of(out).size(0), 6);
  }
}

TEST(Sample, TakesTheLastOfRepeatedFlags) {
  const TemporaryFolder folder;
  sextant(small_run(folder / "o", {"--seed", "1", "--seed", "2"}));
  EXPECT_EQ(json::parse(read_file(folder / "o/run.json"))["config"]["sample"]["seed"], 2);
}

TEST(Sample, DoesNothingWhenAllIsDrawn) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "o")).exit_code, 0);
  const auto written = fs::last_write_time(folder / "o/samples.npz");
  const Outcome again = sextant(small_run(folder / "o", {"--batch", "2"}));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.out.find("drawn before this run"), std::string::npos) << again.out;
  EXPECT_EQ(fs::last_write_time(folder / "o/samples.npz"), written);
}

TEST(Sample, KeepsTheImagesOfOtherSettingsUnlessTold) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "o")).exit_code, 0);
  const std::string before = read_file(folder / "o/samples.npz");
  const Outcome refused = sextant(small_run(folder / "o", {"--seed", "9"}));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("holds another run: [sample] seed is 0 there and 9 here"), std::string::npos)
      << refused.err;
  EXPECT_EQ(read_file(folder / "o/samples.npz"), before);
  EXPECT_EQ(sextant(small_run(folder / "o", {"--seed", "9", "--overwrite"})).exit_code, 0);
  EXPECT_NE(read_file(folder / "o/samples.npz"), before);
}

TEST(Sample, IsSilentWhenQuietAndPlainWithoutATerminal) {
  const TemporaryFolder folder;
  const Outcome quiet = sextant(small_run(folder / "q", {"--quiet"}));
  EXPECT_EQ(quiet.out + quiet.err, report::can_draw() ? "" : kNoCharts);
  const Outcome plain = sextant(small_run(folder / "p"));
  EXPECT_NE(plain.err.find("6/6 images"), std::string::npos) << plain.err;
  EXPECT_EQ(plain.err.find('\r'), std::string::npos);
}

TEST(BundledModelsOfCifar, DrawWhatTheyAreTold) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  const Outcome drawn = sextant({"sample", "--model", bundled("cifar10-adm"), "--labels", "0-9", "--count", "40",
                                 "--batch", "20", "--sampler", "ddim", "--steps", "10", "--out", run, "--quiet"});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  const Outcome read = sextant({"evaluate", run, "--classifier", bundled("cifar10-features"), "--metrics", "accuracy",
                                "--format", "json", "--quiet"});
  ASSERT_EQ(read.exit_code, 0) << read.err;
  // By chance 0.1; of 3000 in fifty steps 0.69.
  EXPECT_GT(json::parse(read.out)["metrics"]["accuracy"]["value"].get<double>(), 0.4) << read.out;
}

}  // namespace
}  // namespace sextant::cli::testing
