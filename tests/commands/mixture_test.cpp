// Commands on a mixture, where the right answer is known.
#include <cmath>
#include <fstream>
#include <sstream>

#include "internal/commands/calibrate.h"
#include "internal/commands/sample.h"
#include "internal/commands/sweep.h"
#include "internal/commands/theory.h"
#include "internal/commands/trace.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/metrics/metrics.h"
#include "sextant/report/drawing.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using nlohmann::json;

/// Two components in the plane, isotropic with variance 0.25, at (-1, 0) and (1, 0.5).
json plane() {
  return {{"type", "mixture"},
          {"model", {{"means", {{-1.0, 0.0}, {1.0, 0.5}}}, {"covariances", 0.25}}},
          {"diffusion", {{"noise_schedule", "linear"}, {"steps", 1000}}}};
}

class MixtureCommands : public ::testing::Test {
 protected:
  MixtureCommands() {
    std::filesystem::create_directories(folder_ / "mixture");
    std::ofstream(folder_ / "mixture/config.json") << plane();
  }
  std::string mixture() const { return (folder_ / "mixture").string(); }
  std::string out(const std::string& name) const { return (folder_ / name).string(); }

  commands::SampleConfig sampling(int64_t count) const {
    commands::SampleConfig config;
    config.model.path = mixture();
    config.sample.labels = "0-1";
    config.sample.count = config.sample.batch = count;
    config.sampler.sampler = samplers::sample_ddim;
    config.sampler.steps = 100;
    config.run.out = out("samples");
    config.run.threads = 1;
    return config;
  }

  TemporaryFolder folder_;
  std::ostringstream ignored_;
  std::unique_ptr<Progress> progress_ = make_progress(ProgressStyle::kQuiet, ignored_);
};

TEST_F(MixtureCommands, DrawPointsOfTheComponentThatIsAskedFor) {
  const commands::SampleResult result = commands::run_sample(sampling(2000), *progress_, Stop());
  EXPECT_TRUE(result.complete());
  const checkpoint::NpzReader samples(out("samples") + "/samples.npz");
  const Tensor x = samples.read("arr_0");
  ASSERT_EQ(x.scalar_type(), at::kFloat);
  ASSERT_EQ(x.sizes(), (at::IntArrayRef{2000, 2}));
  const Tensor of_first = x.index_select(0, (samples.read("arr_1") == 0).nonzero().squeeze(1)).to(at::kDouble);
  // The deviation of the mean of 1000 points is 0.5/sqrt(1000) = 0.016.
  EXPECT_LT((of_first.mean(0) - at::tensor({-1.0, 0.0}, at::kDouble)).abs().max().item<double>(), 0.06);
  EXPECT_LT((of_first.var(0) - 0.25).abs().max().item<double>(), 0.05);
  EXPECT_EQ(std::filesystem::exists(out("samples") + "/grid.png"), report::can_draw());
}

TEST_F(MixtureCommands, ContinueAndRepeatARunOfPoints) {
  commands::SampleConfig config = sampling(6);
  config.sample.batch = 2;
  commands::run_sample(config, *progress_, Stop());
  const Tensor together = checkpoint::NpzReader(out("samples") + "/samples.npz").read("arr_0");
  config.run.out = out("again");
  config.sample.batch = 6;
  commands::run_sample(config, *progress_, Stop());
  EXPECT_TRUE(at::allclose(checkpoint::NpzReader(out("again") + "/samples.npz").read("arr_0"), together, 1e-6, 1e-6));
}

TEST_F(MixtureCommands, JudgePointsExactly) {
  const evaluation::FeatureExtractor judge = evaluation::open_extractor({mixture()}, evaluation::Protocol::kOpenAi);
  const auto points = evaluation::open_images_for(judge, mixture());
  const auto embedding = evaluation::embed(*points, mixture(), judge, {}, *progress_, Stop());
  // Bayes' accuracy of two equal Gaussians: Phi of half their distance over the deviation, sqrt(4.25)/2/0.5.
  const double bayes = 0.5 * std::erfc(-std::sqrt(4.25) / std::sqrt(2.0));
  EXPECT_NEAR(metrics::class_accuracy(embedding->logits, embedding->labels).overall, bayes, 0.006);
  EXPECT_LT((embedding->pool.mean - at::tensor({0.0, 0.25}, at::kDouble)).abs().max().item<double>(), 0.03);
}

TEST_F(MixtureCommands, AreCalibratedWhereTheClassifierIsExact) {
  commands::CalibrateConfig config;
  config.classifier.path = config.data = config.model.path = mixture();
  config.count = 8000;
  config.batch = 4000;
  config.levels = "200";
  config.run.threads = 1;
  const commands::CalibrateResult result = commands::run_calibrate(config, *progress_, Stop());
  ASSERT_TRUE(result.complete);
  ASSERT_EQ(result.rows.size(), 3);
  EXPECT_LT(result.rows[0].measures.ece, 0.02) << "p(k | x0) at x0";
  EXPECT_GT(result.rows[0].measures.accuracy, 0.97);
  // x0-hat of the conditional model is nearer to the class's mean than x0: read as x0, it is too sure or not sure.
  EXPECT_GT(result.rows[2].measures.accuracy, result.rows[0].measures.accuracy);
  // Shown x_t alone, it is the posterior of x_t: less right, as it must be, and as sure as that.
  config.inputs = commands::LevelInputs::kXt;
  const commands::CalibrateResult noisy = commands::run_calibrate(config, *progress_, Stop());
  ASSERT_EQ(noisy.rows.size(), 2);
  EXPECT_LT(noisy.rows[1].measures.ece, 0.02);
  EXPECT_LT(noisy.rows[1].measures.accuracy, result.rows[0].measures.accuracy - 0.01);
  EXPECT_GT(result.rows[1].measures.ece, 0.02) << "read as x0";
}

TEST_F(MixtureCommands, AreExactAtNoiseLevelsToo) {
  json config = plane();
  config.erase("diffusion");
  std::filesystem::create_directories(folder_ / "levels");
  std::ofstream(folder_ / "levels/config.json") << config;
  commands::SampleConfig drawn = sampling(1000);
  drawn.model.path = drawn.classifier.path = out("levels");
  drawn.model.unconditional = true;
  drawn.guidance.guide.input = guidance::Input::kNoisy;
  drawn.guidance.guide.gamma_factor = 0;
  drawn.sampler.sampler = samplers::sample_edm_heun;
  drawn.sampler.steps = 20;
  commands::run_sample(drawn, *progress_, Stop());
  const auto points = [&] { return checkpoint::NpzReader(out("samples") + "/samples.npz").read("arr_0"); };
  const Tensor guided = points();
  // By Bayes' rule that is the conditional model, and no other: D + sigma^2 grad log p(y | x) = D(x; y).
  drawn.model.unconditional = false;
  drawn.classifier.path = "";
  drawn.guidance.guidance = "none";
  drawn.run.overwrite = true;
  commands::run_sample(drawn, *progress_, Stop());
  EXPECT_TRUE(at::allclose(guided, points(), 1e-4, 1e-4)) << (guided - points()).abs().max();

  commands::CalibrateConfig measured;
  measured.classifier.path = measured.data = measured.model.path = out("levels");
  measured.count = measured.batch = 8000;
  measured.levels = "0.5,5";
  measured.inputs = commands::LevelInputs::kXt;
  measured.run.threads = 1;
  const commands::CalibrateResult result = commands::run_calibrate(measured, *progress_, Stop());
  ASSERT_EQ(result.rows.size(), 3);
  EXPECT_LT(result.rows[1].measures.ece, 0.02);
  EXPECT_LT(result.rows[2].measures.ece, 0.02);
  EXPECT_LT(result.rows[2].measures.accuracy, result.rows[1].measures.accuracy - 0.1);
  measured.classifier.path = mixture();
  EXPECT_NE(message_of([&] { commands::run_calibrate(measured, *progress_, Stop()); }).find("knows discrete timesteps"),
            std::string::npos);
  drawn = sampling(2);
  drawn.run.out = out("timesteps");
  drawn.classifier.path = out("levels");
  drawn.guidance.guide.input = guidance::Input::kNoisy;
  EXPECT_NE(message_of([&] { commands::run_sample(drawn, *progress_, Stop()); }).find("knows noise levels"),
            std::string::npos);
}

TEST_F(MixtureCommands, SweepPointsThatTheMixtureItselfJudges) {
  json recipe = {{"sample", {{"labels", "0-1"}, {"count", 400}, {"batch", 400}}},
                 {"model", {{"model", mixture()}}},
                 {"sampler", {{"sampler", "ddim"}, {"steps", 50}}}};
  recipe["rows"] = {{{"name", "told"}}, {{"name", "not told"}, {"model", {{"unconditional", true}}}}};
  commands::SweepConfig config;
  config.judge = config.reference = mixture();
  config.run.out = out("sweep");
  config.run.threads = 1;
  commands::run_sweep(recipe, config, *progress_, Stop());
  const json results = json::parse(read_file(out("sweep") + "/run.json")).at("results");
  ASSERT_EQ(results.size(), 2);
  EXPECT_GT(results[0].at("accuracy").get<double>(), 0.95) << "Bayes: 0.98";
  EXPECT_NEAR(results[1].at("accuracy").get<double>(), 0.5, 0.1) << "chance";
  // Distances of points are small numbers: the table shows three figures of them.
  char distance[32];
  std::snprintf(
      distance, sizeof distance, "%.3g",
      std::min(results[0].at("frechet_distance").get<double>(), results[1].at("frechet_distance").get<double>()));
  EXPECT_NE(read_file(out("sweep") + "/table.md").find(distance), std::string::npos) << distance;
  EXPECT_EQ(std::filesystem::exists(out("sweep") + "/overview.png"), report::can_draw());
}

TEST_F(MixtureCommands, TraceTheExactPosterior) {
  commands::TraceConfig config;
  config.method = sampling(40);
  config.method.model.unconditional = true;
  config.method.classifier.path = mixture();
  config.method.guidance.guidance = "plain";
  config.method.guidance.guide.scale = 2;
  config.method.sampler.steps = 20;
  config.method.run.out = out("trace");
  EXPECT_TRUE(commands::run_trace(config, *progress_, Stop()).complete);
  const json means = json::parse(read_file(out("trace") + "/trace.json")).at("methods").at(0).at("means");
  EXPECT_EQ(means.size(), 20);
  EXPECT_GT(means.back().at("probability").get<double>(), means.front().at("probability").get<double>());
  EXPECT_GT(means.back().at("probability").get<double>(), 0.95) << "guided at twice the scale";
  EXPECT_EQ(std::filesystem::exists(out("trace") + "/maps.png"), report::can_draw());
}

TEST_F(MixtureCommands, CheckThePropositions) {
  commands::TheoryConfig config;
  config.model = mixture();
  config.count = 4000;
  config.run.out = out("theory");
  config.run.threads = 1;
  const json record = commands::run_theory(config, Stop()).record;
  for (const json& row : record.at("gamma_alpha")) {
    // sum_k Gamma_k = tau1 - tau2 = 0 here, and without a divergence the others only repel.
    const double sum =
        row.at("target").get<double>() + row.at("attraction").get<double>() + row.at("repulsion").get<double>();
    EXPECT_NEAR(sum, 0, 1e-12);
    if (row.at("alpha") == 0.0) {
      EXPECT_EQ(row.at("attraction"), 0.0);
    }
  }
  EXPECT_GT(record.at("gamma_alpha").back().at("attraction").get<double>(), 0) << "a large alpha attracts to all";
  for (const json& row : record.at("calibration")) {
    if (row.at("temperature") != 1.0) continue;
    EXPECT_EQ(row.at("gradient_error"), 0.0);
    EXPECT_LT(row.at("ece").get<double>(), 0.02);
  }
  EXPECT_GT(record.at("calibration").front().at("gradient_error").get<double>(), 0.1);
  double conditional_last = 1;
  for (const json& row : record.at("direction")) {
    // The joint gradient of isotropic components is (mu - x)/v: straight to the mode.
    if (row.at("tau2") == 0.0) {
      EXPECT_NEAR(row.at("cosine").get<double>(), 1, 1e-9);
    }
    if (row.at("tau2") == 1.0) conditional_last = row.at("gradient_norm");
  }
  EXPECT_LT(conditional_last, 0.5) << "the conditional gradient fades where the classifier is sure";
  std::map<std::string, double> strength;
  for (const json& row : record.at("divergences")) strength[row.at("divergence")] = row.at("relative_gradient");
  EXPECT_EQ(strength.size(), 7);
  EXPECT_NEAR(strength["alpha-div, order 0.5"], 2 * strength["hellinger"], 1e-12);
  EXPECT_GT(strength["alpha-div, order 1.5"], 0);
  EXPECT_LT(strength["alpha-div, order 1.5"], strength["chi2"]) << "twice order 2";
  std::map<int64_t, std::map<std::string, json>> entropy;
  for (const json& row : record.at("entropy")) entropy[row.at("step")][row.at("shape")] = row;
  ASSERT_EQ(entropy.size(), 21);
  for (auto& [step, shapes] : entropy) {
    const double t = static_cast<double>(step) / 999;
    EXPECT_NEAR(shapes["linear"]["lambda"].get<double>(), 0.05 + 0.15 * t, 1e-12);
    EXPECT_NEAR(shapes["cosine"]["lambda"].get<double>(), 0.05 + 0.075 * (1 - std::cos(M_PI * t)), 1e-12);
    const double noise = 1 - shapes["1-abar"]["alpha_bar"].get<double>();
    EXPECT_NEAR(shapes["1-abar"]["lambda"].get<double>(), 0.05 + 0.15 * noise, 1e-12);
    // Of one weight all shapes pull alike.
    EXPECT_NEAR(shapes["linear"]["relative_gradient"].get<double>() * shapes["1-abar"]["lambda"].get<double>(),
                shapes["1-abar"]["relative_gradient"].get<double>() * shapes["linear"]["lambda"].get<double>(), 1e-12);
    EXPECT_GT(shapes["linear"]["relative_gradient"].get<double>(), 0);
  }
}

TEST_F(MixtureCommands, CompareDivergencesOverTheNumberOfClasses) {
  commands::TheoryConfig config;
  config.count = 500;
  config.run.out = out("classes");
  config.run.threads = 1;
  const std::string k10 = (source_dir() / "recipes/theory/k10").string();
  config.model = k10;
  const json alone = commands::run_theory(config, Stop()).record;
  config.model = mixture() + ", " + k10;
  const commands::TheoryResult both = commands::run_theory(config, Stop());
  ASSERT_EQ(both.record.at("mixtures").size(), 2);
  EXPECT_EQ(both.record["mixtures"][1]["divergences"], alone.at("divergences"));
  EXPECT_EQ(both.table.header.back(), "alpha |grad D| / |grad log p|, K = 10");
  EXPECT_EQ(std::filesystem::exists(out("classes") + "/classes.svg"), report::can_draw());
  config.model = mixture() + "," + k10 + "," + (source_dir() / "recipes/theory/two").string();
  const auto header = commands::run_theory(config, Stop()).table.header;
  EXPECT_EQ(header[1], "alpha |grad D| / |grad log p|, K = 2 (" + mixture() + ")");
  EXPECT_EQ(header[2], "alpha |grad D| / |grad log p|, K = 10");
  EXPECT_NE(header[3].find("recipes/theory/two)"), std::string::npos) << header[3];
}

TEST_F(MixtureCommands, RefuseATheoryOfANetwork) {
  commands::TheoryConfig config;
  config.model = (source_dir() / "models/mnist-adm").string();
  config.run.out = out("theory");
  EXPECT_NE(message_of([&] { commands::run_theory(config, Stop()); }).find("is no mixture"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
