// Calibration along the noise levels.
#include <ATen/core/grad_mode.h>

#include "commands/calibrate_fixture.h"
#include "commands/filled_model.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/noise.h"

namespace sextant::testing {
namespace {

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
  const auto expected = measure(logits_of(config_.classifier.path, noisy), labels_.slice(0, 0, 40));
  EXPECT_LT(expected.accuracy, result.rows[0].measures.accuracy);
  expect_same(result.rows[2].measures, expected);
}

TEST_F(Calibrate, ShowsNoisedImagesAndTheModelsEstimates) {
  config_.count = 8;
  config_.model.path = bundled("mnist-adm");
  const models::DiffusionModel model = models::open_diffusion(config_.model.path, "", {});
  const diffusion::Process process(model.process());
  const Tensor labels = labels_.slice(0, 0, 8);
  const at::NoGradGuard no_grad;
  const Tensor x_t = process.q_sample(pixels(8), 400, Noise(0, {0, 1, 2, 3, 4, 5, 6, 7}, {1, 28, 28}).at_step(400));
  const diffusion::Denoiser denoiser = model.denoiser();
  for (const bool unconditional : {false, true}) {
    config_.model.unconditional = unconditional;
    config_.levels = "400";
    const CalibrateResult result = go(config_);
    ASSERT_EQ(result.rows.size(), 3u);
    EXPECT_EQ(result.rows[1].input, commands::Shown::kXt);
    expect_same(result.rows[1].measures, measure(logits_of(config_.classifier.path, x_t), labels));
    const Tensor told = unconditional ? at::full_like(labels, 10) : labels;
    const Tensor x0 = denoiser.predict(x_t, 400, told).x0;
    EXPECT_LE(x0.abs().max().item<double>(), 1);
    EXPECT_EQ(result.rows[2].input, commands::Shown::kX0);
    expect_same(result.rows[2].measures, measure(logits_of(config_.classifier.path, x0), labels));
  }
}

TEST_F(Calibrate, MeansAreOverTheLevelsAndALevelDoesNotDependOnOthers) {
  config_.classifier.path = bundled("mnist-noisy-classifier");
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
  config_.classifier.path = bundled("mnist-noisy-classifier");
  config_.count = 20;
  config_.levels = "600";
  std::vector<int64_t> samples(20);
  for (int64_t i = 0; i < 20; ++i) samples[static_cast<std::size_t>(i)] = i;
  const diffusion::Process process(
      models::process_config(models::describe(config_.classifier.path, "").config["diffusion"]));
  const Tensor x_t = process.q_sample(pixels(20), 600, Noise(0, samples, {1, 28, 28}).at_step(600));
  const Tensor labels = labels_.slice(0, 0, 20);
  const Tensor f = logits_of(config_.classifier.path, x_t, at::full({20}, 600, at::kLong));
  expect_same(go(config_).rows[1].measures, measure(f, labels));
  // At another time it answers otherwise, so the time did arrive.
  EXPECT_FALSE(at::allclose(f, logits_of(config_.classifier.path, x_t, at::zeros({20}, at::kLong)), 1e-3, 1e-3));
}

TEST_F(Calibrate, TakesTheLevelsOfAnEdmModelForDeviations) {
  write_model(folder_ / "edm", tiny_edm());
  write_model(folder_ / "resnet", tiny_resnet());
  const Tensor images = at::arange(6 * 16 * 16 * 3).remainder(251).to(at::kByte).view({6, 16, 16, 3});
  const Tensor labels = at::arange(6, at::kLong);
  write(images, labels);
  config_.classifier.path = folder_ / "resnet";
  config_.model.path = folder_ / "edm";
  config_.levels = "0.5";
  const at::NoGradGuard no_grad;
  const Tensor x0 = images.permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  const Tensor x = x0 + 0.5 * Noise(0, {0, 1, 2, 3, 4, 5}, {3, 16, 16}).initial();
  const auto model = models::open_diffusion(config_.model.path, "", {});
  for (const bool unconditional : {false, true}) {
    config_.model.unconditional = unconditional;
    const CalibrateResult result = go(config_);
    ASSERT_EQ(result.rows.size(), 3u);
    expect_same(result.rows[1].measures, measure(logits_of(config_.classifier.path, x), labels));
    const Tensor estimate = model.function(x, at::full({6}, 0.5), unconditional ? Tensor() : labels);
    expect_same(result.rows[2].measures, measure(logits_of(config_.classifier.path, estimate.clamp(-1, 1)), labels));
  }
  config_.levels = "";
  EXPECT_EQ(go(config_).rows.size(), 1u + 2u * 9u);
  config_.levels = "0";
  expect_refusal(config_, "2", "--levels: 0 is no standard deviation of noise");
  write_model(folder_ / "resnet7", tiny_resnet(3, 7));
  config_.classifier.path = folder_ / "resnet7";
  config_.model.unconditional = false;
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
  config_.classifier.softplus_beta = 3;
  expect_same(go(config_).rows[1].measures, result.rows[3].measures);
}

}  // namespace
}  // namespace sextant::testing
