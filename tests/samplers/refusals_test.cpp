// What samplers refuse before they begin.
#include <gtest/gtest.h>

#include <limits>

#include "samplers/golden_run.h"
#include "samplers/toy.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

TEST(Samplers, RefuseSettingsOutOfRange) {
  const diffusion::Denoiser denoiser = toy_denoiser(uniform_process(4, 2, -2));
  StartAt noise(at::zeros({1, 1, 1, 1}, at::kDouble));
  const samplers::Run run{denoiser, nullptr, {}, {}, noise};
  samplers::SamplerConfig config;
  config.eta = 1.5;
  EXPECT_THROW(samplers::sample_ddim(run, config), UsageError);
  config.order = 3;
  EXPECT_THROW(samplers::sample_dpm_solver(run, config), UsageError);
  config.order = 0;
  EXPECT_THROW(samplers::sample_unipc(run, config), UsageError);
  config.edm.churn = -1;
  const diffusion::Denoiser levels = toy_sigma_denoiser();
  EXPECT_THROW(samplers::sample_edm_heun({levels, nullptr, {}, {}, noise}, config), UsageError);
}

TEST(Samplers, TakeTheEndsOfTheRangesOfEdmAndNothingBeyond) {
  const diffusion::Denoiser levels = toy_sigma_denoiser();
  StartAt noise(at::zeros({1, 1, 1, 1}, at::kDouble));
  const auto message = [&](double samplers::EdmConfig::*field, double value) {
    samplers::SamplerConfig config;
    config.steps = 2;
    config.edm.*field = value;
    return message_of<UsageError>([&] { samplers::sample_edm_heun({levels, nullptr, {}, {}, noise}, config); });
  };
  EXPECT_EQ(message(&samplers::EdmConfig::alpha, 0), "edm: solver-alpha must be a number above 0 to 1, got 0");
  EXPECT_EQ(message(&samplers::EdmConfig::alpha, 1), "");
  EXPECT_EQ(message(&samplers::EdmConfig::churn_noise, 0), "");
  EXPECT_EQ(message(&samplers::EdmConfig::churn_noise, 10), "");
  EXPECT_EQ(message(&samplers::EdmConfig::churn_noise, 10.5),
            "edm: churn-noise must be a number from 0 to 10, got 10.5");
  EXPECT_EQ(message(&samplers::EdmConfig::churn_max, std::numeric_limits<double>::infinity()), "");
  EXPECT_NE(message(&samplers::EdmConfig::churn_max, std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_NE(message(&samplers::EdmConfig::churn_max, -1), "");
}

TEST(Samplers, RefuseChurnBetweenNoNoiseLevels) {
  const diffusion::Denoiser levels = toy_sigma_denoiser();
  StartAt noise(at::zeros({1, 1, 1, 1}, at::kDouble));
  const auto message = [&](double churn, double low, double high) {
    samplers::SamplerConfig config;
    config.steps = 2;
    config.edm.churn = churn, config.edm.churn_min = low, config.edm.churn_max = high;
    return message_of<UsageError>([&] { samplers::sample_edm_euler({levels, nullptr, {}, {}, noise}, config); });
  };
  EXPECT_EQ(message(40, 5, 1),
            "edm: no noise level lies between churn-min 5 and churn-max 1; give a churn-max above churn-min, or leave "
            "churn at 0");
  EXPECT_EQ(message(0, 5, 1), "") << "there is no churn";
  EXPECT_EQ(message(40, 500, 500), "");
}

TEST(Samplers, RefuseToDrawNothingAndToDrawByNothing) {
  const diffusion::Denoiser timesteps = toy_denoiser(uniform_process(4, 2, -2)), levels = toy_sigma_denoiser();
  const Tensor none = at::zeros({0}, at::kLong);
  Noise noise(0, {}, {1, 1, 1});
  samplers::SamplerConfig config;
  config.steps = 4;
  for (const samplers::SamplerRow& row : samplers::table()) {
    config.sampler = row.sampler;
    const diffusion::Denoiser& denoiser = row.needs == diffusion::Counts::kTimesteps ? timesteps : levels;
    for (const Tensor& labels : {none, Tensor()}) {
      EXPECT_NE(message_of<UsageError>([&] {
                  samplers::draw(config, denoiser, nullptr, labels, none, noise);
                }).find("expected at least one sample to draw"),
                std::string::npos)
          << row.word;
    }
  }
  config.sampler = nullptr;
  EXPECT_NE(message_of<UsageError>([&] {
              samplers::draw(config, timesteps, nullptr, none, none, noise);
            }).find("expected a sampling loop, got none"),
            std::string::npos);
  EXPECT_THROW(samplers::num_steps(config, levels), UsageError);
}

TEST(Samplers, RefuseADenoiserThatCountsInSomethingElse) {
  const diffusion::Denoiser timesteps = toy_denoiser(uniform_process(4, 2, -2)), levels = toy_sigma_denoiser();
  StartAt noise(at::zeros({1, 1, 1, 1}, at::kDouble));
  for (const samplers::SamplerRow& row : samplers::table()) {
    const bool by_timesteps = row.needs == diffusion::Counts::kTimesteps;
    const diffusion::Denoiser& other = by_timesteps ? levels : timesteps;
    EXPECT_THROW(row.sampler({other, nullptr, {}, {}, noise}, {}), UsageError) << row.word;
    samplers::SamplerConfig config;
    config.sampler = row.sampler;
    const std::string message = message_of<UsageError>([&] { samplers::check(config, other); });
    EXPECT_NE(message.find("use " + samplers::words(other.counts())), std::string::npos) << message;
  }
}

TEST(Samplers, RefuseNoiseOfAnotherShapeThanTheModels) {
  const diffusion::Denoiser timesteps = toy_denoiser(uniform_process(4, 2, -2)), levels = toy_sigma_denoiser();
  samplers::SamplerConfig config;
  config.steps = 4;
  for (const samplers::SamplerRow& row : samplers::table()) {
    config.sampler = row.sampler;
    const auto message = [&](const std::vector<int64_t>& samples, const std::vector<int64_t>& shape) {
      Noise noise(0, samples, shape);
      const Tensor labels = at::zeros({2}, at::kLong);
      return message_of<UsageError>([&] {
        samplers::draw(config, row.needs == diffusion::Counts::kTimesteps ? timesteps : levels, nullptr, labels, labels,
                       noise);
      });
    };
    const std::string wanted = "expected noise [2, 1, 1, 1], one sample of the model's shape per label, got ";
    EXPECT_NE(message({0, 1}, {1, 1, 2}).find(wanted + "[2, 1, 1, 2]"), std::string::npos) << row.word;
    EXPECT_NE(message({0, 1}, {3, 1, 1}).find(wanted + "[2, 3, 1, 1]"), std::string::npos) << row.word;
    EXPECT_NE(message({0, 1}, {1}).find(wanted + "[2, 1]"), std::string::npos) << row.word;
    EXPECT_NE(message({0}, {1, 1, 1}).find(wanted + "[1, 1, 1, 1]"), std::string::npos) << row.word;
  }
}

}  // namespace
}  // namespace sextant::testing
