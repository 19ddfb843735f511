// Image i depends on the seed and i: a folder of few images becomes one of many without drawing any again.
#include <fstream>

#include "commands/systems.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

namespace fs = std::filesystem;
using commands::SampleConfig;
using nlohmann::json;

/// Remembers how many images each run began with.
class Counting : public Progress {
 public:
  void begin(const std::string&, double, double done, const std::string&) override { there = done; }
  void update(double) override {}
  void end() override {}
  void note(const std::string&) override {}
  double there = -1;
};

class GrowingRuns : public Systems {
 protected:
  static SampleConfig guided() {
    SampleConfig config;
    config.model.path = at("adm");
    config.classifier.path = at("resnet");
    config.guidance.guide.interval = {0, 0.7};
    config.sampler.steps = 3;
    config.sample.batch = 2;
    config.run.threads = 1;
    return config;
  }
  /// Draws `count` images into a folder; how many of them were there.
  static double draw(SampleConfig config, const fs::path& out, int64_t count) {
    config.run.out = out.string();
    config.sample.count = count;
    Counting progress;
    EXPECT_TRUE(commands::run_sample(config, progress, Stop()).complete());
    return progress.there;
  }
  static json record(const fs::path& out) { return json::parse(read_file(out / "run.json")); }
};

TEST_F(GrowingRuns, DrawOnlyWhatIsMissing) {
  const TemporaryFolder folder;
  draw(guided(), folder / "whole", 7);
  draw(guided(), folder / "grown", 4);
  const json few = record(folder / "grown");
  EXPECT_EQ(draw(guided(), folder / "grown", 7), 4);
  EXPECT_EQ(read_file(folder / "grown/samples.npz"), read_file(folder / "whole/samples.npz"));
  const json grown = record(folder / "grown");
  const json whole = record(folder / "whole");
  EXPECT_EQ(grown["finished"], 7);
  EXPECT_EQ(grown["trace"].size(), whole["trace"].size());
  EXPECT_NEAR(grown["gradient_norm"].get<double>(), whole["gradient_norm"].get<double>(),
              1e-6 * whole["gradient_norm"].get<double>());
  for (size_t step = 0; step < whole["trace"].size(); ++step) {
    EXPECT_EQ(grown["trace"][step]["images"], 7);
    EXPECT_NEAR(grown["trace"][step]["probability"].get<double>(), whole["trace"][step]["probability"].get<double>(),
                1e-6);
  }
  EXPECT_EQ(draw(guided(), folder / "grown", 7), -1) << "a finished run has nothing to draw";
}

TEST_F(GrowingRuns, DrawAnUnfinishedTiltGroupAgain) {
  const TemporaryFolder folder;
  SampleConfig tilted = guided();
  tilted.guidance.guide.tilt = -0.5;
  tilted.guidance.guide.tilt_group = 2;
  draw(tilted, folder / "whole", 6);
  draw(tilted, folder / "grown", 3);  // the third image is alone in its group
  draw(tilted, folder / "grown", 6);
  EXPECT_EQ(read_file(folder / "grown/samples.npz"), read_file(folder / "whole/samples.npz"));
}

TEST_F(GrowingRuns, DoNotShrink) {
  const TemporaryFolder folder;
  draw(guided(), folder / "o", 4);
  SampleConfig fewer = guided();
  fewer.run.out = (folder / "o").string();
  fewer.sample.count = 3;
  Counting progress;
  EXPECT_NE(message_of<UsageError>([&] {
              commands::run_sample(fewer, progress, Stop());
            }).find("holds another run: [sample] count is 4 there and 3 here"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
