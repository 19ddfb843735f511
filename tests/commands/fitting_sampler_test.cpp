// What happens where a batch does not fit into memory: a denoiser that runs out of it, as libtorch does.
#include "drawing/fitting_sampler.h"

#include <c10/util/Exception.h>

#include <fstream>

#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

class Notes : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override { lines.push_back(line); }
  std::vector<std::string> lines;
};

class BatchesThatDoNotFit : public ::testing::Test {
 protected:
  BatchesThatDoNotFit() {
    std::ofstream(folder_ / "config.json") << R"({"type": "mixture",
        "model": {"means": [[-1.0, 0.0], [1.0, 0.5]], "covariances": 0.25},
        "diffusion": {"noise_schedule": "linear", "steps": 1000}})";
    config_.model.path = config_.classifier.path = folder_.path();
    config_.sample.labels = "0-1";
    config_.sampler.steps = 4;
    config_.guidance.guidance = "plain";
  }

  /// Samples 3, 4, ... where the denoiser holds `most` images at a time.
  commands::Batch drawn(int64_t count, int64_t most) {
    commands::SamplingModels models = commands::open_models(config_);
    calls_.clear();
    models.denoiser = models.denoiser.with(
        [this, most, model = models.denoiser.model()](const Tensor& x, const Tensor& t, const Tensor& y) {
          calls_.push_back(x.size(0));
          TORCH_CHECK_WITH(OutOfMemoryError, x.size(0) <= most, "CUDA out of memory. Tried to allocate 2.00 GiB");
          return model(x, t, y);
        });
    commands::BatchSampler sampler(config_, models);
    commands::FittingSampler fitting(sampler, config_, notes_);
    std::vector<int64_t> samples;
    for (int64_t i = 0; i < count; ++i) samples.push_back(3 + i);
    shares_.clear();
    const auto share = [this](double done) { shares_.push_back(done); };
    commands::Batch batch = fitting.draw(samples, share);
    fitting.draw(samples, share);
    return batch;
  }

  TemporaryFolder folder_;
  commands::SampleConfig config_;
  Notes notes_;
  std::vector<int64_t> calls_;  ///< images of each call of the denoiser
  std::vector<double> shares_;
};

TEST_F(BatchesThatDoNotFit, AreDrawnInHalvesAndAreTheSameImages) {
  const commands::Batch whole = drawn(7, 100);
  EXPECT_TRUE(notes_.lines.empty());
  const commands::Batch halves = drawn(7, 3);
  EXPECT_EQ(calls_, (std::vector<int64_t>{7, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1}));
  EXPECT_TENSOR_NEAR(halves.images, whole.images, (Tolerance{1e-5, 1e-5}));
  EXPECT_TENSOR_NEAR(halves.traces, whole.traces, (Tolerance{1e-5, 1e-5}));
  ASSERT_EQ(halves.records.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(halves.records[i].label, whole.records[i].label);
  ASSERT_EQ(notes_.lines.size(), 1U);
  EXPECT_EQ(notes_.lines[0],
            "note: out of memory with 7 images at a time: goes on with 3; on a GPU images may differ in the last bit "
            "from those of the larger batch");
  EXPECT_DOUBLE_EQ(shares_.back(), 1);
  EXPECT_TRUE(std::is_sorted(shares_.begin(), shares_.begin() + 12));
}

TEST_F(BatchesThatDoNotFit, FailTheSecondTimeAndSayWhatToLower) {
  const std::string error = message_of<Error>([&] { drawn(8, 3); });
  EXPECT_EQ(error.find("out of memory with 4 images at a time, after 8 were too many; lower --batch; a lower "), 0U)
      << error;
  EXPECT_EQ(calls_, (std::vector<int64_t>{8, 4}));
}

TEST_F(BatchesThatDoNotFit, KeepTheGroupsOfATiltWhole) {
  config_.guidance.guide.tilt = 1;
  config_.guidance.guide.tilt_group = 3;
  drawn(12, 7);
  EXPECT_EQ(calls_[1], 6);
  EXPECT_NE(notes_.lines.at(0).find("goes on with 6;"), std::string::npos) << notes_.lines[0];
}

TEST_F(BatchesThatDoNotFit, AreRefusedWhereTheirImagesDependOnEachOther) {
  config_.guidance.guide.tilt = 1;
  const std::string error = message_of<Error>([&] { drawn(8, 4); });
  EXPECT_EQ(
      error.find("out of memory with 8 images at a time, which depend on each other and cannot be drawn in parts"), 0U)
      << error;
  EXPECT_TRUE(notes_.lines.empty());
}

TEST_F(BatchesThatDoNotFit, OfOneImageCannotBeHalved) {
  const std::string error = message_of<Error>([&] { drawn(1, 0); });
  EXPECT_EQ(error.find("out of memory with 1 image at a time; a lower --precision"), 0U) << error;
}

TEST_F(BatchesThatDoNotFit, AreNotMistakenForOtherErrors) {
  commands::SamplingModels models = commands::open_models(config_);
  models.denoiser = models.denoiser.with(
      [](const Tensor&, const Tensor&, const Tensor&) -> Tensor { throw CheckpointError("a weight is missing"); });
  commands::BatchSampler sampler(config_, models);
  commands::FittingSampler fitting(sampler, config_, notes_);
  EXPECT_THROW(fitting.draw({0, 1}, [](double) {}), CheckpointError);
  EXPECT_TRUE(notes_.lines.empty());
}

}  // namespace
}  // namespace sextant::testing
