// DDPM and DDIM against guided-diffusion, EluCD, ED-DPM and DiT, step by step.
#include "samplers/golden_run.h"
#include "samplers/golden_score.h"
#include "support/running_maximum.h"

namespace sextant::testing {
namespace {

using guidance::Guide;
using guidance::GuideConfig;

/// The tilt of "tilted", "tilted_sum", "js_tilted", ...
void set_tilt(GuideConfig& guide, const nlohmann::json& config) {
  const std::string score = config.at("score");
  if (score.find("tilted") != std::string::npos) guide.tilt = config.at("tilt");
  if (score == "tilted_sum") guide.tilt_form = guidance::TiltForm::kSumToOne;
}

/// EluCD: at x0-hat, with the sine schedule read off one pixel. The others: at x_t, noise-aware, no schedule.
GuideConfig guide_config(const Golden& golden) {
  const auto& config = golden.config();
  GuideConfig guide;
  guide.scale = config.at("classifier_scale");
  if (config.contains("gamma_factor")) {
    set_tilt(guide, config);
    guide.gamma_factor = config.at("gamma_factor");
    guide.gamma_max = guidance::GammaMax::kElucd;
    return guide;
  }
  guide.input = guidance::Input::kNoisy;
  guide.gamma_factor = 0;
  if (config.contains("entropy_norm_classes")) {
    guide.entropy_driven = true;
    guide.entropy_classes = config.at("entropy_norm_classes");
  }
  return guide;
}

/// The schedule of the guide, step by step.
struct Schedule {
  std::vector<Tensor> add;
  std::vector<Tensor> max_variance;
};

struct Outcome {
  Tensor final;
  Recording recording;
  Schedule schedule;
};

Outcome run(const Golden& golden, at::ScalarType type) {
  const auto& config = golden.config();
  const diffusion::Denoiser denoiser(tiny_model(golden, type), diffusion::Process(process_config(config)),
                                     golden["input/x_T"].sizes().slice(1).vec());
  GoldenNoise noise(input(golden, "x_T", type), input(golden, "noise", type));
  const Tensor labels = golden["input/labels"];
  std::optional<Guide> guide;
  Outcome outcome;
  if (config.at("guided").get<bool>()) {
    const GuideConfig settings = guide_config(golden);
    const bool uses_time = settings.input == guidance::Input::kNoisy;
    guide.emplace(tiny_classifier(golden, type, uses_time),
                  config.contains("gamma_factor") ? score_of(config) : guidance::named_score("plain"), settings);
  }
  const samplers::StepObserver observe = [&, record = outcome.recording.observer()](const samplers::Step& step) {
    record(step);
    if (!config.contains("gamma_factor")) return;
    outcome.schedule.add.push_back(added(*guide, step.x, step.step, step.num_steps)[0]);
    outcome.schedule.max_variance.push_back(running_maximum(*guide, step.x)[0]);
  };
  Guide* const steered = guide ? &*guide : nullptr;
  samplers::SamplerConfig sampler;
  sampler.eta = config.value("eta", 0.0);
  const auto loop = config.at("method") == "ddim" ? samplers::sample_ddim : samplers::sample_ddpm;
  outcome.final = loop({denoiser, steered, labels, labels, noise, observe}, sampler);
  return outcome;
}

std::vector<std::filesystem::path> discrete_loops() {
  std::vector<std::filesystem::path> files;
  for (const char* prefix : {"ddpm_", "ddim_", "elucd_", "eds_dd"}) {
    for (const auto& path : golden_files("math/samplers", prefix)) files.push_back(path);
  }
  return files;
}

class DiscreteSampler : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DiscreteSampler);
INSTANTIATE_TEST_SUITE_P(Golden, DiscreteSampler, ::testing::ValuesIn(discrete_loops()), golden_name);

TEST_P(DiscreteSampler, FollowsTheReferenceStepByStep) {
  const Golden golden(GetParam());
  const Outcome outcome = run(golden, at::kDouble);
  const Tolerance tolerance = golden.tolerance("f64");
  const Recording& r = outcome.recording;

  EXPECT_TENSOR_NEAR(at::stack(r.x), golden["output/f64/traj"], tolerance);
  EXPECT_TRUE(outcome.final.equal(r.x.back()));
  if (golden.has("output/f64/pred_xstart")) {
    EXPECT_TENSOR_NEAR(at::stack(r.x0), golden["output/f64/pred_xstart"], tolerance);
  }
  if (golden.has("output/f64/scale")) {
    // The factor of the gradient: the scale times log(classes)/H.
    const auto& config = golden.config();
    const Tensor logits = r.of(&guidance::Guidance::logits).flatten(0, 1);
    const Tensor factor = config.at("classifier_scale").get<double>() *
                          guidance::entropy_driven_scale(logits, config.at("entropy_norm_classes"));
    EXPECT_TENSOR_NEAR(factor.view_as(golden["output/f64/scale"]), golden["output/f64/scale"], tolerance);
  }
}

class ElucdGuidance : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ElucdGuidance);
INSTANTIATE_TEST_SUITE_P(Golden, ElucdGuidance, ::testing::ValuesIn(golden_files("math/samplers", "elucd_")),
                         golden_name);

TEST_P(ElucdGuidance, IsTheReferencesAtEveryStep) {
  const Golden golden(GetParam());
  const Outcome outcome = run(golden, at::kDouble);
  const Tolerance tolerance = golden.tolerance("f64");
  const Recording& r = outcome.recording;

  EXPECT_TENSOR_NEAR(r.of(&guidance::Guidance::gradient), golden["output/f64/gradient"], tolerance);
  EXPECT_TENSOR_NEAR(r.of(&guidance::Guidance::score), golden["output/f64/score"], tolerance);
  EXPECT_TENSOR_NEAR(at::stack(outcome.schedule.add), golden["output/f64/add_value"], tolerance);
  if (guide_config(golden).gamma_factor > 0) {  // else the maximum has no effect, and nothing shows it
    EXPECT_TENSOR_NEAR(at::stack(outcome.schedule.max_variance), golden["output/f64/max_variance"], tolerance);
  }
  if (guide_config(golden).tilt != 0) {
    EXPECT_TENSOR_NEAR(r.of(&guidance::Guidance::weight), golden["output/f64/tilt_weights"], tolerance);
  }
  std::vector<double> lambda;
  const auto steps = static_cast<int64_t>(r.x.size());
  for (int64_t t = steps - 1; t >= 0; --t) {
    lambda.push_back(
        guidance::entropy_weight({t, steps}, golden.config().at("lambda_max"), golden.config().at("lambda_min")));
  }
  EXPECT_TENSOR_NEAR(at::tensor(lambda, at::kDouble), golden["output/f64/lambda"], tolerance);
}

TEST_P(DiscreteSampler, EndsWhereTheReferenceEndsInFloat32) {
  const Golden golden(GetParam());
  const Outcome outcome = run(golden, at::kFloat);
  EXPECT_EQ(outcome.final.scalar_type(), at::kFloat);
  EXPECT_TENSOR_NEAR(outcome.final, golden["output/f32/final"], golden.tolerance("f32"));
}

/// "all ..." or "first 3 of 4 ...".
int64_t guided_channels(const nlohmann::json& config, int64_t channels) {
  const std::string text = config.at("cfg_channels");
  return text.rfind("all", 0) == 0 ? channels : std::stoll(text.substr(text.find(' ') + 1));
}

class ClassifierFreeLoop : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClassifierFreeLoop);
INSTANTIATE_TEST_SUITE_P(Golden, ClassifierFreeLoop, ::testing::ValuesIn(golden_files("math/samplers", "dit_cfg_")),
                         golden_name);

TEST_P(ClassifierFreeLoop, FollowsDiT) {
  const Golden golden(GetParam());
  const auto& config = golden.config();
  const int64_t channels = golden["input/z"].size(1);
  for (const auto& [name, type] : kPrecisions) {
    const diffusion::Model guided = diffusion::classifier_free(
        tiny_model(golden, type), config.at("null_label"), config.at("cfg_scale"), guided_channels(config, channels));
    const diffusion::Denoiser denoiser(guided, diffusion::Process(process_config(config)),
                                       golden["input/z"].sizes().slice(1).vec());
    GoldenNoise noise(input(golden, "z", type), input(golden, "noise", type));
    Recording recording;
    const Tensor labels = golden["input/labels"];
    const Tensor final = samplers::sample_ddpm({denoiser, nullptr, labels, labels, noise, recording.observer()}, {});
    EXPECT_TENSOR_NEAR(final, golden[std::string("output/") + name + "/final"], golden.tolerance(name)) << name;
    if (type != at::kDouble) continue;
    const auto recorded = config.at("traj_steps").get<std::vector<std::size_t>>();
    for (std::size_t k = 0; k < recorded.size(); ++k) {
      EXPECT_TENSOR_NEAR(recording.x.at(recorded[k]), golden["output/f64/traj"][static_cast<int64_t>(k)],
                         golden.tolerance(name))
          << "step " << recorded[k];
    }
  }
}

}  // namespace
}  // namespace sextant::testing
