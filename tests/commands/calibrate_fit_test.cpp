// Temperatures and vectors that `sextant calibrate` fits, and the classifiers that it saves.
#include "calibrate/data.h"
#include "commands/calibrate_fixture.h"
#include "sextant/calibration/calibration.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {
namespace {

TEST_F(Calibrate, FitsATemperatureOnWhatItHoldsOut) {
  config_.fit = commands::FitMethod::kTemperature;
  config_.fit_share = 0.6;
  const CalibrateResult result = go(config_);
  ASSERT_TRUE(result.fit);
  EXPECT_EQ(result.fit->count, 120);
  const commands::CalibrateData data = commands::open_data(config_, 1, {});
  const Tensor held_out = at::tensor(data.fitted->numbers, at::kLong);
  const Tensor f = logits_of(config_.classifier.path, pixels(200)).index_select(0, held_out);
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
  config_.fit = commands::FitMethod::kVector;
  config_.fit_share = 0.25;
  config_.count = 100;
  const commands::CalibrateData data = commands::open_data(config_, 1, {});
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
  EXPECT_TRUE(at::equal(commands::read_images(*data.fitted, 20, 25)[4], bytes_[last].permute({2, 0, 1})));
}

TEST_F(Calibrate, FitsOnOtherImagesWhenGivenSome) {
  checkpoint::save_npz(folder_ / "fit.npz",
                       {{"arr_0", bytes_.slice(0, 50, 200)}, {"arr_1", labels_.slice(0, 50, 200)}});
  config_.fit = commands::FitMethod::kTemperature;
  config_.fit_data = folder_ / "fit.npz";
  config_.count = 50;
  const CalibrateResult result = go(config_);
  const Tensor f = logits_of(config_.classifier.path, pixels(200));
  const double expected = calibration::fit_temperature(f.slice(0, 50), labels_.slice(0, 50));
  EXPECT_NEAR(result.fit->rescaling.temperature, expected, 1e-4 * expected);
  const Tensor scaled = f.slice(0, 0, 50) / result.fit->rescaling.temperature;
  expect_same(result.rows[1].measures, measure(scaled, labels_.slice(0, 0, 50)));
}

TEST_F(Calibrate, FitsWhereTheClassifierIsUsed) {
  config_.fit = commands::FitMethod::kTemperature;
  config_.fit_on = commands::Shown::kXt;
  config_.levels = "0.3,0.6";
  const CalibrateResult noisy = go(config_);
  config_.fit_on = commands::Shown::kClean;
  const CalibrateResult clean = go(config_);
  EXPECT_GT(noisy.fit->rescaling.temperature, 1.5 * clean.fit->rescaling.temperature);
  ASSERT_EQ(noisy.means.size(), 2u);
  EXPECT_EQ(noisy.means[1].variant, "after");
  EXPECT_LT(noisy.means[1].measures.nll, 0.7 * noisy.means[0].measures.nll);
  EXPECT_LT(noisy.means[1].measures.ece, noisy.means[0].measures.ece);
}

TEST_F(Calibrate, SavesAClassifierThatAnswersAsMeasured) {
  for (const auto method : {commands::FitMethod::kTemperature, commands::FitMethod::kVector}) {
    config_.fit = method;
    config_.fit_share = 0.3;
    config_.save = folder_ / (method == commands::FitMethod::kVector ? "vector" : "temperature");
    const CalibrateResult result = go(config_);
    CalibrateConfig again = config_;
    again.classifier.path = config_.save;
    again.save = "";
    const CalibrateResult reopened = go(again);
    expect_same(reopened.rows[0].measures, result.rows[1].measures);
    // Nothing is left to repair.
    if (result.fit->method == commands::FitMethod::kTemperature) {
      EXPECT_NEAR(reopened.fit->rescaling.temperature, 1, 1e-4);
    }
  }
}

}  // namespace
}  // namespace sextant::testing
