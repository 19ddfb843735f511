#include "sample/out_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "internal/commands/sample.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::commands {
namespace {

using nlohmann::json;
using sextant::testing::TemporaryFolder;

json settings_of(const SampleConfig& given) {
  SampleConfig config = given;
  return OptionTable("sample", sample_options(config)).to_json();
}

SampleConfig guided() {
  SampleConfig config;
  config.guidance.score = "plain";
  return config;
}

std::string error_of(const std::filesystem::path& folder, const json& settings) {
  return testing::message_of([&] { OutFolder(folder, identity_of(settings), false); });
}

TEST(Identity, IgnoresWhatDoesNotChangeTheImages) {
  SampleConfig other = guided();
  other.sample.batch = 3;
  other.run.threads = 1;
  other.run.out = "elsewhere";
  other.run.quiet = true;
  EXPECT_EQ(identity_of(settings_of(guided())), identity_of(settings_of(other)));
  other.sample.seed = 1;
  EXPECT_NE(identity_of(settings_of(guided())), identity_of(settings_of(other)));
}

TEST(Identity, KeepsTheBatchWhereTheGuideCouplesIt) {
  SampleConfig one = guided();
  one.guidance.guide.tilt = -0.2;
  SampleConfig other = one;
  other.sample.batch = 3;
  EXPECT_NE(identity_of(settings_of(one)), identity_of(settings_of(other)));
  one.guidance.guide.tilt_group = other.guidance.guide.tilt_group = 3;
  EXPECT_EQ(identity_of(settings_of(one)), identity_of(settings_of(other)));
}

TEST(OutFolder, IsMadeWithItsParents) {
  const TemporaryFolder folder;
  OutFolder(folder / "a/b/c", identity_of(settings_of(SampleConfig())), false);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "a/b/c"));
}

TEST(OutFolder, RefusesAFileInItsPlace) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "x");
  EXPECT_NE(error_of(folder / "file", settings_of(SampleConfig())), "");
  EXPECT_NE(error_of(folder / "file/below", settings_of(SampleConfig())), "");
}

TEST(OutFolder, KeepsTheSamplesOfAnotherRun) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.npz", "");
  write_atomically(folder / "run.json",
                   json({{"command", "sample"}, {"config", settings_of(guided())}, {"complete", true}}).dump());
  EXPECT_EQ(error_of(folder.path(), settings_of(guided())), "");
  SampleConfig other = guided();
  other.guidance.terms.divergence.alpha = 0.3;
  const std::string error = error_of(folder.path(), settings_of(other));
  EXPECT_NE(
      error.find("holds another run: [guidance] alpha is 0.1 there and 0.3 here; choose another --out, or --overwrite"),
      std::string::npos)
      << error;
  OutFolder(folder.path(), identity_of(settings_of(other)), true);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(OutFolder, DoesNotReplaceSamplesOfUnknownOrigin) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.npz", "");
  EXPECT_NE(error_of(folder.path(), settings_of(SampleConfig())).find("no run.json says how it was made"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::commands
