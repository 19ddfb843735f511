// Runs of `sextant calibrate` on 200 MNIST digits and the bundled models.
#pragma once

#include <ATen/core/grad_mode.h>

#include <sstream>

#include "internal/commands/calibrate.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::testing {

using calibration::measure;
using commands::CalibrateConfig;
using commands::CalibrateResult;
using commands::CalibrateRow;

inline std::string bundled(const std::string& name) { return source_dir() / "models" / name; }

class Calibrate : public ::testing::Test {
 protected:
  Calibrate() {
    const auto arrays = checkpoint::load_npz(source_dir() / "tests/models/data/mnist_test_200.npz");
    bytes_ = arrays.at("arr_0").unsqueeze(3);
    labels_ = arrays.at("arr_1").to(at::kLong);
    write(bytes_, labels_);
    config_.classifier.path = bundled("mnist-classifier-overconfident");
    config_.data = folder_ / "digits.npz";
    config_.run.threads = 1;
  }

  void write(const Tensor& images, const Tensor& labels) const {
    checkpoint::save_npz(folder_ / "digits.npz", {{"arr_0", images}, {"arr_1", labels}});
  }

  static CalibrateResult go(const CalibrateConfig& config) {
    std::ostringstream ignored;
    return commands::run_calibrate(config, *make_progress(ProgressStyle::kQuiet, ignored), Stop());
  }

  /// What a run says instead of its result, with its exit code before it.
  static std::string refusal(const CalibrateConfig& config) {
    try {
      go(config);
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return std::to_string(error.exit_code()) + " " + message;
    }
    return "";
  }
  static void expect_refusal(const CalibrateConfig& config, const std::string& code, const std::string& part) {
    const std::string message = refusal(config);
    EXPECT_EQ(message.substr(0, 1), code) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }

  /// Pixels of the first `count` digits as networks see them.
  Tensor pixels(int64_t count) const {
    return bytes_.slice(0, 0, count).permute({0, 3, 1, 2}).to(at::kFloat) / 127.5 - 1;
  }
  static Tensor logits_of(const std::string& classifier, const Tensor& x, const Tensor& t = {}) {
    const at::NoGradGuard no_grad;
    return models::open_classifier({.path = classifier}, {}).logits(x, t);
  }

  static void expect_same(const calibration::Measures& actual, const calibration::Measures& expected) {
    EXPECT_EQ(actual.count, expected.count);
    EXPECT_EQ(actual.accuracy, expected.accuracy);
    EXPECT_NEAR(actual.ece, expected.ece, 1e-5);
    EXPECT_NEAR(actual.nll, expected.nll, 1e-5);
    EXPECT_NEAR(actual.confidence, expected.confidence, 1e-6);
    EXPECT_NEAR(actual.smooth_ece, expected.smooth_ece, 1e-5);
  }

  /// A picture for each class 0 to `classes` - 1, in a folder for each.
  std::filesystem::path class_folders(int classes) const {
    const std::filesystem::path root = folder_ / "classes";
    for (int k = 0; k < classes; ++k) {
      std::filesystem::create_directories(root / std::to_string(k));
      std::filesystem::copy_file(source_dir() / "docs/demo.png", root / std::to_string(k) / "0.png",
                                 std::filesystem::copy_options::overwrite_existing);
    }
    return root;
  }

  const TemporaryFolder folder_;
  Tensor bytes_, labels_;
  CalibrateConfig config_;
};

}  // namespace sextant::testing
