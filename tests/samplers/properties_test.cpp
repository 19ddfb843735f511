// What every sampler promises, whatever it computes.
#include <gtest/gtest.h>

#include <limits>

#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/named_score.h"
#include "sextant/runtime/error.h"

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

/// One of the samplers on the toy network, by name; "edm" is EDM's with churn.
struct Runner {
  std::string name;

  Tensor operator()(Guide* guide, const Tensor& labels, Noise& noise, const samplers::StepObserver& observe = {},
                    const diffusion::Model& network = toy_network) const {
    if (name == "edm") {
      samplers::EdmConfig config;
      config.levels.steps = 12;
      config.levels.sigma_max = 10;
      config.churn = 4;
      // Nearly the denoiser of standard normal images.
      const diffusion::ModelSigmaDenoiser denoiser(
          [&](const Tensor& x, const Tensor& sigma, const Tensor& y) {
            const Tensor signal = 1 / (1 + sigma.square()).view({-1, 1, 1, 1});
            return signal * x + 0.1 * (1 - signal) * network(signal.sqrt() * x, sigma, y).narrow(1, 0, 2);
          },
          kShape);
      return samplers::sample_edm(denoiser, guide, labels, labels, noise, config, observe);
    }
    const diffusion::ModelDenoiser denoiser(network, toy_process(), kShape);
    return samplers::named_sampler(name, 0.5)(denoiser, guide, labels, labels, noise, observe);
  }
};

std::vector<Runner> runners() {
  std::vector<Runner> all = {{"edm"}};
  for (const std::string& name : samplers::sampler_names()) all.push_back({name});
  return all;
}

std::string runner_name(const ::testing::TestParamInfo<Runner>& info) {
  std::string name = info.param.name;
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
    // EDM's fourth call is the second of its second step.
    const std::string step = GetParam().name == "edm" ? "step 10" : "step 8";
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
    const diffusion::ModelDenoiser denoiser(toy_network, toy_process(), kShape);
    std::vector<double> seen;
    samplers::sample_ddpm(denoiser, &guide, at::zeros({1}, at::kLong), at::zeros({1}, at::kLong), noise,
                          [&](const Step&) { seen.push_back(guide.max_variance()[0].item<double>()); });
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
    const diffusion::ModelDenoiser denoiser(toy_network, toy_process(), kShape);
    const Tensor targets = at::zeros({static_cast<int64_t>(which.size())}, at::kLong);
    return samplers::sample_ddpm(denoiser, &guide, targets, targets, noise)[-1];
  };
  EXPECT_FALSE(last({1, 0}, guidance::GammaMax::kElucd).equal(last({0}, guidance::GammaMax::kElucd)));
  EXPECT_TRUE(last({1, 0}, guidance::GammaMax::kPerSample).equal(last({0}, guidance::GammaMax::kPerSample)));
}

TEST(NamedSampler, RefusesUnknownNamesAndSettingsOutOfRange) {
  EXPECT_THROW(samplers::named_sampler("ddmp"), UsageError);
  const ToyDenoiser denoiser(uniform_process(4, 2, -2));
  StartAt noise(at::zeros({1, 1, 1, 1}, at::kDouble));
  EXPECT_THROW(samplers::sample_ddim(denoiser, nullptr, {}, {}, noise, 1.5), UsageError);
  EXPECT_THROW(samplers::sample_dpm_solver(denoiser, nullptr, {}, {}, noise, {3, false}), UsageError);
  EXPECT_THROW(samplers::sample_unipc(denoiser, nullptr, {}, {}, noise, {0, true}), UsageError);
  samplers::EdmConfig edm;
  edm.churn = -1;
  EXPECT_THROW(samplers::sample_edm(ToySigmaDenoiser(), nullptr, {}, {}, noise, edm), UsageError);
}

}  // namespace
}  // namespace sextant::testing
