// What every sampler promises, whatever it computes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/running_maximum.h"

namespace sextant::testing {
namespace {

using guidance::Guide;
using guidance::GuideConfig;
using samplers::Step;

constexpr uint64_t kSeed = 7;
const std::vector<int64_t> kShape = {2, 3, 3};

/// A little network with a learned variance, elementwise so that images cannot touch each other.
Tensor toy_network(const Tensor& x, const Tensor& t, const Tensor& y) {
  const Tensor shift = (0.1 * y + t / 1000).to(x.scalar_type()).view({-1, 1, 1, 1});
  return at::cat({at::tanh(0.8 * x + shift), at::sin(3 * x)}, 1);
}

/// Four classes of images in x0, one of them nearer than the others.
guidance::Classifier toy_classifier() {
  return {[](const Tensor& x) {
            const Tensor corner = at::arange(4, x.options()).view({1, 4, 1, 1, 1}) / 2 - 1;
            return -(x.unsqueeze(1) - corner).square().sum({2, 3, 4});
          },
          4};
}

diffusion::Process toy_process() {
  diffusion::ProcessConfig config;
  config.respacing = "12";
  return diffusion::Process(config);
}

/// A sampler of the table on the toy network; those of noise levels with churn.
struct Runner {
  samplers::SamplerRow row;

  Tensor operator()(Guide* guide, const Tensor& labels, Noise& noise, const samplers::StepObserver& observe = {},
                    const diffusion::Model& network = toy_network) const {
    samplers::SamplerConfig config;
    config.eta = 0.5;
    config.steps = 12;
    config.edm.levels.sigma_max = 10;
    config.edm.churn = 4;
    if (row.needs == diffusion::Counts::kNoiseLevels) {
      // Nearly the denoiser of standard normal images.
      const diffusion::Denoiser denoiser(
          [&](const Tensor& x, const Tensor& sigma, const Tensor& y) {
            const Tensor signal = 1 / (1 + sigma.square()).view({-1, 1, 1, 1});
            return signal * x + 0.1 * (1 - signal) * network(signal.sqrt() * x, sigma, y).narrow(1, 0, 2);
          },
          diffusion::SigmaRange{}, kShape);
      return row.sampler({denoiser, guide, labels, labels, noise, observe}, config);
    }
    const diffusion::Denoiser denoiser(network, toy_process(), kShape);
    return row.sampler({denoiser, guide, labels, labels, noise, observe}, config);
  }
};

std::vector<Runner> runners() {
  std::vector<Runner> all;
  for (const samplers::SamplerRow& row : samplers::table()) all.push_back({row});
  return all;
}

std::string runner_name(const ::testing::TestParamInfo<Runner>& info) {
  std::string name = info.param.row.word;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class EverySampler : public ::testing::TestWithParam<Runner> {
 protected:
  /// Samples `which` of the run, guided.
  Tensor sample(const std::vector<int64_t>& which, GuideConfig config = {},
                const samplers::StepObserver& observe = {}) {
    Guide guide(toy_classifier(), guidance::named_score("plain"), config);
    Noise noise(kSeed, which, kShape);
    return GetParam()(&guide, at::tensor(which, at::kLong) % 4, noise, observe);
  }
};
INSTANTIATE_TEST_SUITE_P(All, EverySampler, ::testing::ValuesIn(runners()), runner_name);

TEST_P(EverySampler, DrawsTheSameImagesFromTheSameSeed) {
  const Tensor first = sample({0, 1, 2});
  EXPECT_EQ(first.scalar_type(), at::kFloat);
  EXPECT_TRUE(first.equal(sample({0, 1, 2})));
}

TEST_P(EverySampler, DrawsImagesThatDoNotDependOnTheirBatch) {
  const Tensor together = sample({0, 1, 2, 3, 4});
  for (int64_t n = 0; n < 5; ++n) EXPECT_TRUE(sample({n})[0].equal(together[n])) << n;
  EXPECT_TRUE(sample({3, 1}).equal(at::stack({together[3], together[1]})));
}

TEST_P(EverySampler, MovesImagesTowardTheirTargets) {
  Noise noise(kSeed, {0, 1, 2, 3}, kShape);
  const Tensor targets = at::arange(4);
  const Tensor free = GetParam()(nullptr, targets, noise);
  GuideConfig config;
  config.scale = 0.05;
  const Tensor steered = sample({0, 1, 2, 3}, config);
  const auto log_p = [&](const Tensor& x) {
    return guidance::log_prob(toy_classifier().logits(x), targets, {}).value.mean().item<double>();
  };
  EXPECT_GT(log_p(steered), log_p(free));
}

TEST_P(EverySampler, ReportsEveryStepOnceAndReturnsTheLast) {
  std::vector<int64_t> steps;
  Tensor last;
  const Tensor final = sample({0, 1}, {}, [&](const Step& step) {
    steps.push_back(step.step);
    EXPECT_EQ(step.num_steps, 12);
    EXPECT_EQ(step.x0.sizes(), step.x.sizes());
    EXPECT_NE(step.guidance, nullptr);
    last = step.x;
  });
  EXPECT_EQ(steps, (std::vector<int64_t>{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_TRUE(final.equal(last));
}

TEST_P(EverySampler, IsNotGuidedOutsideTheInterval) {
  Recording free;
  Noise noise(kSeed, {0, 1}, kShape);
  GetParam()(nullptr, at::arange(2), noise, free.observer());
  GuideConfig config;
  config.interval.high = 0.5;  // of 12 steps those from 5 on
  Recording guided;
  std::vector<bool> active;
  sample({0, 1}, config, [&, record = guided.observer()](const Step& step) {
    record(step);
    active.push_back(step.guidance != nullptr);
  });
  for (std::size_t k = 0; k < 12; ++k) EXPECT_EQ(active[k], k >= 6) << k;
  EXPECT_TRUE(guided.x[5].equal(free.x[5]));
  EXPECT_FALSE(guided.x[6].equal(free.x[6]));
}

TEST_P(EverySampler, NamesTheStepAndTheImageThatStopBeingFinite) {
  int calls = 0;
  const diffusion::Model failing = [&](const Tensor& x, const Tensor& t, const Tensor& y) {
    Tensor out = toy_network(x, t, y);
    if (++calls == 4) out[1].fill_(std::numeric_limits<double>::quiet_NaN());
    return out;
  };
  Noise noise(kSeed, {0, 1, 2}, kShape);
  try {
    GetParam()(nullptr, at::arange(3), noise, {}, failing);
    FAIL() << "sampled on";
  } catch (const NumericError& error) {
    // Heun's fourth call is the second of its second step.
    const std::string step = GetParam().row.word == "edm-heun" ? "step 10" : "step 8";
    EXPECT_NE(std::string(error.what()).find("image 1 of the batch"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(step), std::string::npos) << error.what();
  }
}

TEST(Ddpm, KeepsTheRunningMaximumOutsideTheGuidesInterval) {
  const auto maximum = [](double interval_high) {
    GuideConfig config;
    config.interval.high = interval_high;
    Guide guide(toy_classifier(), guidance::named_score("plain"), config);
    Noise noise(kSeed, {0}, kShape);
    const diffusion::Denoiser denoiser(toy_network, toy_process(), kShape);
    std::vector<double> seen;
    const Tensor target = at::zeros({1}, at::kLong);
    const auto observe = [&](const Step& s) { seen.push_back(running_maximum(guide, s.x)[0].item<double>()); };
    samplers::sample_ddpm({denoiser, &guide, target, target, noise, observe}, {});
    return seen;
  };
  EXPECT_EQ(maximum(0)[0], maximum(1)[0]);
  EXPECT_EQ(maximum(0).size(), 12);
}

TEST(Ddpm, WithEluCDsMaximumDependsOnTheFirstImageOfTheBatch) {
  const auto last = [](std::vector<int64_t> which, guidance::GammaMax gamma_max) {
    GuideConfig config;
    config.gamma_max = gamma_max;
    Guide guide(toy_classifier(), guidance::named_score("plain"), config);
    Noise noise(kSeed, which, kShape);
    const diffusion::Denoiser denoiser(toy_network, toy_process(), kShape);
    const Tensor targets = at::zeros({static_cast<int64_t>(which.size())}, at::kLong);
    return samplers::sample_ddpm({denoiser, &guide, targets, targets, noise}, {})[-1];
  };
  EXPECT_FALSE(last({1, 0}, guidance::GammaMax::kElucd).equal(last({0}, guidance::GammaMax::kElucd)));
  EXPECT_TRUE(last({1, 0}, guidance::GammaMax::kPerSample).equal(last({0}, guidance::GammaMax::kPerSample)));
}

TEST(Draw, KeepsTheStepsThatAreAskedFor) {
  const diffusion::Denoiser denoiser(toy_network, diffusion::Process({}), kShape);
  Noise noise(kSeed, {0, 1}, kShape);
  const Tensor y = at::arange(2);
  samplers::SamplerConfig config;
  config.steps = 12;
  const Tensor drawn = samplers::draw(config, denoiser, nullptr, y, y, noise);
  const diffusion::Denoiser respaced(toy_network, toy_process(), kShape);
  EXPECT_TRUE(drawn.equal(samplers::sample_ddpm({respaced, nullptr, y, y, noise}, {})));
  config.steps = 1001;
  EXPECT_NE(message_of<UsageError>([&] {
              samplers::draw(config, denoiser, nullptr, y, y, noise);
            }).find("steps 1001 is more than the 1000 of the model"),
            std::string::npos);
}

// The one step goes from pure noise to the prediction made there: x0 = (x - sqrt(1 - abar) eps) / sqrt(abar) at T - 1.
TEST(LoneStep, EndsAtThePredictionFromPureNoise) {
  diffusion::ProcessConfig process;
  process.schedule = diffusion::BetaSchedule::kCosine;
  process.steps = 50;
  process.clip = false;
  const diffusion::Denoiser denoiser(toy_network, diffusion::Process(process), kShape);
  const Tensor y = at::tensor({1, 2}, at::kLong);
  double abar = 1;
  for (const double beta : diffusion::betas(diffusion::BetaSchedule::kCosine, 50)) abar *= 1 - beta;
  for (const char* word : {"ddim", "dpmpp-2m", "dpmpp-2m-sde", "unipc"}) {
    samplers::SamplerConfig config;
    for (const samplers::SamplerRow& row : samplers::table()) {
      if (row.word == word) config.sampler = row.sampler;
    }
    for (const bool respaced : {false, true}) {
      config.steps = respaced ? 7 : 1;
      config.respacing = respaced ? "last" : "";
      Noise noise(kSeed, {0, 1}, kShape);
      const Tensor x = noise.initial();
      const Tensor eps = toy_network(x, at::full({2}, 49, at::kLong), y).narrow(1, 0, 2);
      const Tensor expected = (x - std::sqrt(1 - abar) * eps) / std::sqrt(abar);
      int steps = 0;
      const Tensor drawn = samplers::draw(config, denoiser, nullptr, y, y, noise, [&](const Step&) { ++steps; });
      EXPECT_EQ(steps, 1);
      EXPECT_EQ(samplers::num_steps(config, denoiser), 1);
      EXPECT_LT(((drawn - expected).abs().max() / expected.abs().max()).item<double>(), 1e-6) << word;
    }
  }
  samplers::SamplerConfig config;
  config.steps = 1;
  EXPECT_EQ(message_of<UsageError>([&] { samplers::num_steps(config, denoiser); }),
            "a single step: sampler ddpm needs at least 2, the variance of a lone step is undefined; use ddim, "
            "dpmpp-2m, dpmpp-2m-sde or unipc");
}

TEST(LoneStep, IsGuidedAndFiniteInAllThatTakeIt) {
  const diffusion::Denoiser denoiser(toy_network, diffusion::Process({}), kShape);
  const Tensor y = at::tensor({1, 2}, at::kLong);
  for (const samplers::SamplerRow& row : samplers::table()) {
    if (row.needs != diffusion::Counts::kTimesteps || row.word == "ddpm") continue;
    samplers::SamplerConfig config;
    config.sampler = row.sampler;
    config.steps = 1;
    config.eta = 1;
    Guide guide(toy_classifier(), guidance::named_score("plain", {}), {});
    Noise noise(kSeed, {0, 1}, kShape), again(kSeed, {0, 1}, kShape);
    const Tensor guided = samplers::draw(config, denoiser, &guide, y, y, noise);
    EXPECT_TRUE(at::isfinite(guided).all().item<bool>()) << row.word;
    EXPECT_FALSE(guided.equal(samplers::draw(config, denoiser, nullptr, y, y, again))) << row.word;
  }
}

}  // namespace
}  // namespace sextant::testing
