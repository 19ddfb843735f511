// What `sextant trace` writes is what happened: its numbers against a run of the sampler that the test watches itself.
#include "internal/commands/trace.h"

#include <cmath>
#include <fstream>

#include "commands/systems.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using commands::TraceConfig;
using nlohmann::json;

class Silent : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override { notes += line + "\n"; }
  std::string notes;
};

json traced(TraceConfig config, const fs::path& out) {
  config.method.run.out = out.string();
  config.method.run.overwrite = true;
  Silent progress;
  const commands::TraceResult result = commands::run_trace(config, progress, Stop());
  EXPECT_TRUE(result.complete);
  return json::parse(std::ifstream(out / "trace.json"));
}

std::string refused(const TraceConfig& config, const fs::path& out) {
  try {
    traced(config, out);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Trace : public Systems {
 protected:
  static TraceConfig of(const SampleConfig& method, int64_t count = 5, int64_t steps = 3) {
    TraceConfig config;
    config.method = method;
    config.method.sample.count = count;
    config.method.sample.batch = 2;
    config.method.sampler.steps = steps;
    return config;
  }
  static SampleConfig adm() {
    SampleConfig config;
    config.model.path = at("adm");
    config.classifier.path = at("resnet");
    config.guidance.guidance = "js";
    config.guidance.guide.scale = 3;
    return config;
  }
};

TEST_F(Trace, HasTheNumbersOfEveryImageAndStepOfARunThatTheTestWatches) {
  const TraceConfig config = of(adm());
  const json trace = traced(config, out());
  const json& method = trace.at("methods").at(0);
  EXPECT_EQ(method.at("name"), "js");
  EXPECT_EQ(method.at("steps"), json({2, 1, 0}));
  ASSERT_EQ(method.at("samples").size(), 5);

  const SamplingModels models = open_models(config.method);
  guidance::Guide guide(models.guide->classifier, guidance::named_score("js"), config.method.guidance.guide);
  for (int64_t n = 0; n < 5; ++n) {
    const json& sample = method.at("samples").at(static_cast<std::size_t>(n));
    const Tensor y = at::full({1}, sample.at("label").get<int64_t>(), at::kLong);
    Noise noise(0, {n}, models.denoiser.sample_shape());
    std::size_t i = 0;
    samplers::draw(config.method.sampler, models.denoiser, &guide, y, y, noise, [&](const samplers::Step& step) {
      const Tensor p = at::softmax(step.guidance->logits[0].to(at::kDouble), 0);
      const double norm = step.guidance->gradient.to(at::kDouble).norm().item<double>() / 3;
      EXPECT_NEAR(sample.at("probability").at(i).get<double>(), p[y.item<int64_t>()].item<double>(), 1e-5);
      EXPECT_NEAR(sample.at("entropy").at(i).get<double>(), -(p * p.log()).sum().item<double>(), 1e-5);
      EXPECT_NEAR(sample.at("gradient_norm").at(i).get<double>(), norm, 1e-3 * norm);
      ++i;
    });
    EXPECT_EQ(i, 3);
  }
}

TEST_F(Trace, MeansAreThoseOfItsImages) {
  const json method = traced(of(adm(), 6), out()).at("methods").at(0);
  for (std::size_t i = 0; i < 3; ++i) {
    const json& mean = method.at("means").at(i);
    EXPECT_EQ(mean.at("step"), 2 - i);
    std::vector<double> p;
    double norm = 0, vanished = 0;
    for (const json& sample : method.at("samples")) {
      p.push_back(sample.at("probability").at(i));
      const double g = sample.at("gradient_norm").at(i);
      norm += g / 6;
      if (g < 0.01 * sample.at("gradient_norm").at(0).get<double>()) vanished += 1.0 / 6;
    }
    std::sort(p.begin(), p.end());
    EXPECT_NEAR(mean.at("gradient_norm").get<double>(), norm, 1e-9 * norm);
    EXPECT_NEAR(mean.at("probability_top").get<double>(), (p[4] + p[5]) / 2, 1e-12) << "a quarter of 6 are 2";
    EXPECT_NEAR(mean.at("vanished").get<double>(), vanished, 1e-12);
  }
}

TEST_F(Trace, DoesNotDependOnTheScaleOfTheFirstStep) {
  TraceConfig strong = of(adm()), weak = of(adm());
  weak.method.guidance.guide.scale = -0.5;
  const auto first = [&](const TraceConfig& config) {
    return traced(config, out()).at("methods").at(0).at("means").at(0).at("gradient_norm").get<double>();
  };
  EXPECT_NEAR(first(strong), first(weak), 1e-4 * first(weak));
}

TEST_F(Trace, FollowsTheSameImagesWithEveryRowOfAGrid) {
  TraceConfig config = of(adm());
  config.grid["rows"] = {{{"name", "a"}},
                         {{"name", "b"}, {"guidance", {{"guidance", "rkl"}}}},
                         {{"name", "none"}, {"guidance", {{"guidance", "none"}}}}};
  const json methods = traced(config, out()).at("methods");
  ASSERT_EQ(methods.size(), 3);
  EXPECT_EQ(methods[1].at("name"), "b");
  // Before the first step nothing has steered yet: all rows see the same x0-hat there.
  for (std::size_t n = 0; n < 5; ++n) {
    const double p = methods[0]["samples"][n]["probability"][0];
    EXPECT_NEAR(methods[1]["samples"][n]["probability"][0].get<double>(), p, 1e-6);
    EXPECT_NEAR(methods[2]["samples"][n]["probability"][0].get<double>(), p, 1e-6) << "watched, not guided";
  }
  for (const char* file : {"confidence", "gradient-norm", "entropy", "vanished"}) {
    for (const char* extension : {".svg", ".png"}) {
      EXPECT_EQ(fs::exists(out() / (std::string(file) + extension)), report::can_draw()) << file << extension;
    }
  }
  EXPECT_EQ(fs::exists(out() / "maps.png"), report::can_draw());
}

TEST_F(Trace, WatchingChangesNothingThatIsDrawn) {
  SampleConfig alone = unguided(adm());
  alone.classifier.path.clear();
  TraceConfig config = of(unguided(adm()));
  const json watched = traced(config, out()).at("methods").at(0);
  EXPECT_EQ(watched.at("name"), "none");
  // What the classifier says of the last step's x0-hat, drawn without it.
  const SamplingModels models = open_models(config.method, true);
  const int64_t label = watched.at("samples").at(4).at("label");
  Noise noise(0, {4}, models.denoiser.sample_shape());
  const Tensor y = at::full({1}, label, at::kLong);
  Tensor x0;
  samplers::draw(config.method.sampler, models.denoiser, nullptr, y, y, noise,
                 [&](const samplers::Step& step) { x0 = step.x0; });
  const Tensor p = at::softmax(models.guide->classifier.logits(x0), 1);
  EXPECT_NEAR(watched.at("samples").at(4).at("probability").at(2).get<double>(), p[0][label].item<double>(), 1e-5);
}

TEST_F(Trace, FollowsEveryKindOfModel) {
  const TraceConfig latent = of(latent_model("resnet"), 2);
  const TraceConfig latent_reader = of(latent_model("latent-resnet"), 2);
  TraceConfig elucd = of(edm_model("edm", true), 2);
  elucd.method.sampler.edm.guidance = samplers::EdmGuidance::kElucd;
  for (const TraceConfig& config : {latent, latent_reader, of(edm_model("edm", true), 2), elucd}) {
    const json means = traced(config, out()).at("methods").at(0).at("means");
    ASSERT_EQ(means.size(), 3);
    for (const json& row : means) EXPECT_GT(row.at("gradient_norm").get<double>(), 0);
    EXPECT_EQ(fs::exists(out() / "maps.png"), report::can_draw());
  }
}

TEST_F(Trace, EveryTimestepSamplerSaysWhereAStepBegan) {
  for (const samplers::SamplerRow& row : samplers::table()) {
    TraceConfig config = of(row.needs == diffusion::Counts::kTimesteps ? adm() : edm_model("edm", true));
    config.method.sampler.sampler = row.sampler;
    const SamplingModels models = open_models(config.method);
    Noise noise(0, {0}, models.denoiser.sample_shape());
    const Tensor y = at::zeros({1}, at::kLong);
    Tensor before;
    samplers::draw(config.method.sampler, models.denoiser, nullptr, y, y, noise, [&](const samplers::Step& step) {
      ASSERT_TRUE(step.x_t.defined());
      // UniPC's corrector moves the sample again before the next step.
      if (before.defined() && row.word != "unipc") {
        EXPECT_LT(largest_difference(step.x_t, before), 1e-4) << row.word;
      }
      before = step.x;
    });
  }
}

TEST_F(Trace, RefusesWhatItCannotFollow) {
  SampleConfig alone = unguided(adm());
  alone.classifier.path.clear();
  EXPECT_NE(refused(of(alone), out()).find("give a --classifier"), std::string::npos);

  TraceConfig config = of(adm());
  config.at = "3,1";
  EXPECT_NE(refused(config, out()).find("--at 3 is no step: a run of 3 steps has 2, the noisiest, to 0"),
            std::string::npos)
      << refused(config, out());
  config.at = "";
  config.samples = "0,5";
  EXPECT_NE(refused(config, out()).find("--samples 5 is no image: they are 0-4"), std::string::npos)
      << refused(config, out());
  config.samples = "0";
  config.grid["rows"] = {{{"name", "a"}}, {{"name", "b"}, {"sample", {{"seed", 1}}}}};
  EXPECT_NE(refused(config, out()).find("b: its seed differs"), std::string::npos) << refused(config, out());
}

TEST_F(Trace, RefusesAtOnceMoreImagesThanItsNumbersFit) {
  TraceConfig config = of(adm(), 1'000'000'000);
  const std::string one = "--count 1000000000: a trace keeps 9 numbers of each image (3 steps), and at most ";
  EXPECT_EQ(refused(config, out()), "js: " + one + "100000000 of a method; 11111111 images fit");
  config.grid["rows"] = {{{"name", "a"}}, {{"name", "b"}}};
  EXPECT_EQ(refused(config, out()), "a: " + one + "50000000 of a method; 5555555 images fit");
}

TEST_F(Trace, KeepsTheTraceOfOtherSettings) {
  const fs::path folder = out() / "kept";
  traced(of(adm()), folder);
  TraceConfig other = of(adm());
  other.method.run.out = folder.string();
  other.method.guidance.guide.scale = 2;
  Silent progress;
  try {
    commands::run_trace(other, progress, Stop());
    FAIL() << "replaced the trace of other settings";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("[guidance] scale is 3"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sextant::testing
