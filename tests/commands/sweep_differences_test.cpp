// Differences between the rows of a sweep: their intervals, and what a stop leaves of them.
#include <cmath>
#include <csignal>

#include "commands/filled_model.h"
#include "internal/commands/sweep.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sweep/judge.h"

namespace sextant::testing {
namespace {

using commands::Scored;
using nlohmann::json;

/// Half the interval of a paired difference over so many seeds, in standard errors.
double reach(std::size_t seeds, double level) {
  std::vector<Scored> rows, baseline;
  for (std::size_t s = 0; s < seeds; ++s) {
    rows.push_back({{{"kid", static_cast<double>(s * s), {}, {}, {}}}, {}, {}, {}});
    baseline.push_back({{{"kid", 1, {}, {}, {}}}, {}, {}, {}});
  }
  const ledger::Score difference = commands::differences(rows, baseline, level).at(0);
  EXPECT_NEAR(*difference.high + *difference.low, 2 * difference.value, 1e-9 * *difference.high);
  return (*difference.high - difference.value) / *difference.deviation;
}

TEST(SweepDifferences, OverSeedsHaveTheIntervalOfStudentsT) {
  // Quantiles of t as they are tabulated, by degrees of freedom (one less than the seeds) and two-sided level.
  EXPECT_NEAR(reach(2, 0.95), 12.7062, 5e-5);
  EXPECT_NEAR(reach(3, 0.95), 4.30265, 5e-6);
  EXPECT_NEAR(reach(4, 0.95), 3.18245, 5e-6);
  EXPECT_NEAR(reach(5, 0.95), 2.77645, 5e-6);
  EXPECT_NEAR(reach(10, 0.95), 2.26216, 5e-6);
  EXPECT_NEAR(reach(31, 0.95), 2.04227, 5e-6);
  EXPECT_NEAR(reach(4, 0.5), 0.764892, 5e-7);
  EXPECT_NEAR(reach(4, 0.99), 5.84091, 5e-6);
  EXPECT_NEAR(reach(10, 0.99), 3.24984, 5e-6);
  EXPECT_NEAR(reach(4, 0.999), 12.9240, 5e-5);
  EXPECT_NEAR(reach(2, 0.9999), std::tan(M_PI * 0.49995), 1e-6);
  EXPECT_NEAR(reach(3, 0.9999), 0.9999 / std::sqrt(2 * 0.99995 * 0.00005), 1e-8);
  EXPECT_NEAR(reach(4, 0.9999), 28.0001, 5e-5);
  EXPECT_NEAR(reach(1001, 0.95), 1.96234, 5e-6);
}

/// Stops at the first note of a comparison.
class StopsComparing : public Progress {
 public:
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override {
    if (line.starts_with("comparing ")) stop.request(SIGINT);
  }
  Stop stop;
};

TEST(SweepDifferences, ThatAStopLeftOutAreNotComplete) {
  const TemporaryFolder folder;
  const std::string mixture = (source_dir() / "recipes/theory/k10").string();
  // Features instead of statistics: each time they are read, a note says so.
  checkpoint::save_npz(folder / "reference.npz", {{"pool_3", at::arange(320, at::kFloat).sin().reshape({40, 8})}});
  const json recipe = {
      {"evaluate",
       {{"features", mixture}, {"reference", (folder / "reference.npz").string()}, {"metrics", "fid+accuracy"}}},
      {"sample", {{"labels", "0-9"}, {"count", 20}, {"batch", 20}}},
      {"model", {{"model", mixture}, {"unconditional", true}}},
      {"classifier", {{"classifier", mixture}}},
      {"guidance", {{"guidance", "plain"}}},
      {"sampler", {{"steps", 4}}},
      {"rows", {{{"name", "one"}}, {{"name", "two"}, {"guidance", {{"scale", 2}}}}}}};
  commands::SweepConfig config;
  config.run.out = (folder / "out").string();
  const auto swept = [&](const std::string& baseline) {
    config.baseline = baseline;
    StopsComparing progress;
    const commands::SweepResult result = run_sweep(recipe, config, progress, progress.stop);
    EXPECT_EQ(result.finished, 2);
    EXPECT_EQ(result.complete(), !progress.stop.requested());
    const json record = json::parse(read_file(folder / "out/run.json"));
    EXPECT_EQ(record.at("complete"), result.complete());
    EXPECT_EQ(record.at("runs"), json({{"finished", 2}, {"count", 2}}));
    return std::pair(record, result.complete());
  };
  const auto [first, complete] = swept("one");
  EXPECT_TRUE(complete);
  EXPECT_TRUE(first.at("results").at(1).at("metrics").at("fid").contains("difference"));
  const auto [second, still_complete] = swept("two");  // the scores are there, these differences are not
  EXPECT_FALSE(still_complete);
  EXPECT_FALSE(second.at("results").at(0).at("metrics").at("fid").contains("difference"));
}

}  // namespace
}  // namespace sextant::testing
