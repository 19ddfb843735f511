#include <gtest/gtest.h>
#include <unistd.h>

#include "drawing/identity.h"
#include "internal/runtime/files.h"
#include "sample/folder.h"
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
  config.guidance.guidance = "plain";
  return config;
}

std::string error_of(const std::filesystem::path& folder, const SampleConfig& config) {
  return testing::message_of([&] { SampleFolder(folder, identity_of(config), 16, false); });
}

TEST(Identity, IgnoresWhatDoesNotChangeTheImages) {
  SampleConfig other = guided();
  other.sample.batch = 3;
  other.run.threads = 1;
  other.run.out = "elsewhere";
  other.run.quiet = true;
  EXPECT_EQ(identity_of(guided()), identity_of(other));
  other.sample.seed = 1;
  EXPECT_NE(identity_of(guided()), identity_of(other));
}

TEST(Identity, KeepsTheBatchWhereTheGuideCouplesIt) {
  SampleConfig one = guided();
  one.guidance.guide.tilt = -0.2;
  SampleConfig other = one;
  other.sample.batch = 3;
  EXPECT_NE(identity_of(one), identity_of(other));
  one.guidance.guide.tilt_group = other.guidance.guide.tilt_group = 3;
  EXPECT_EQ(identity_of(one), identity_of(other));
}

TEST(Identity, OfARecordIsThatOfItsRun) {
  SampleConfig config = guided();
  config.guidance.guide.scale = 2.5;
  config.guidance.guide.tilt = -0.2;
  config.model.cfg_interval = {0.3, 5};
  config.sample.seed = 7;
  EXPECT_EQ(identity_of(json::parse(settings_of(config).dump())), identity_of(config));
  config.guidance.guide.tilt_group = 2;
  EXPECT_EQ(identity_of(settings_of(config)), identity_of(config));
  const json of_another_version = {{"model", {{"guide-model", "weaker"}}}};
  EXPECT_EQ(identity_of(of_another_version), of_another_version);
}

TEST(Coupling, SaysWhichImagesAreDrawnTogether) {
  GuidanceSettings guidance = guided().guidance;
  EXPECT_EQ(coupling_of(guidance), Coupling::kNone);
  guidance.guide.tilt = -0.2;
  EXPECT_EQ(coupling_of(guidance), Coupling::kBatches);
  guidance.guide.tilt_group = 3;
  EXPECT_EQ(coupling_of(guidance), Coupling::kGroups);
  guidance.guide.gamma_max = guidance::GammaMax::kElucd;
  EXPECT_EQ(coupling_of(guidance), Coupling::kBatches);
  guidance.guidance = kNoGuidance;
  EXPECT_EQ(coupling_of(guidance), Coupling::kNone);
}

TEST(SampleFolder, IsMadeWithItsParents) {
  const TemporaryFolder folder;
  SampleFolder(folder / "a/b/c", identity_of(SampleConfig()), 16, false);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "a/b/c"));
}

TEST(SampleFolder, RefusesAFileInItsPlace) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "x");
  EXPECT_NE(error_of(folder / "file", SampleConfig()), "");
  EXPECT_NE(error_of(folder / "file/below", SampleConfig()), "");
}

TEST(SampleFolder, KeepsTheSamplesOfAnotherRun) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.npz", "");
  write_atomically(folder / "run.json",
                   json({{"command", "sample"}, {"config", settings_of(guided())}, {"complete", true}}).dump());
  EXPECT_EQ(error_of(folder.path(), guided()), "");
  SampleConfig other = guided();
  other.guidance.terms.divergence.alpha = 0.3;
  const std::string error = error_of(folder.path(), other);
  EXPECT_NE(
      error.find("holds another run: [guidance] alpha is 0.1 there and 0.3 here; choose another --out, or --overwrite"),
      std::string::npos)
      << error;
  const SampleFolder replacing(folder.path(), identity_of(other), 16, true);
  EXPECT_TRUE(std::filesystem::exists(folder / "samples.npz"));
  EXPECT_TRUE(std::filesystem::exists(folder / "run.json"));
  replacing.replace_former();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SampleFolder, OfASameRunHasNothingToReplace) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.npz", "");
  write_atomically(folder / "run.json",
                   json({{"command", "sample"}, {"config", settings_of(guided())}, {"complete", false}}).dump());
  SampleFolder(folder.path(), identity_of(guided()), 16, true).replace_former();
  EXPECT_TRUE(std::filesystem::exists(folder / "samples.npz"));
  EXPECT_TRUE(std::filesystem::exists(folder / "run.json"));
}

TEST(SampleFolder, RefusesTheSamplesOfAnotherVersion) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.partial", "sextant samples 1\n{}\n");
  EXPECT_NE(error_of(folder.path(), guided()).find("holds samples of a run of another version of sextant"),
            std::string::npos);
  SampleFolder(folder.path(), identity_of(guided()), 16, true);
  EXPECT_TRUE(std::filesystem::exists(folder / "samples.partial"));
}

TEST(LoneTilt, IsSaidToBePlainGuidance) {
  const auto note = [](int64_t count, int64_t batch, int64_t group, double tilt = -0.2) {
    SampleConfig config = guided();
    config.guidance.guide.tilt = tilt;
    config.guidance.guide.tilt_group = group;
    config.sample.count = count;
    config.sample.batch = batch;
    return lone_tilt_note(config);
  };
  EXPECT_NE(note(4, 1, 0).find("plain guidance; give a larger --batch"), std::string::npos);
  EXPECT_NE(note(4, 4, 1).find("plain guidance; give a larger --tilt-group"), std::string::npos);
  EXPECT_NE(note(1, 4, 0).find("plain guidance; give a larger --count"), std::string::npos);
  EXPECT_NE(note(9, 4, 0).find("the last image is alone in its --tilt group of 4"), std::string::npos);
  EXPECT_NE(note(9, 8, 2).find("the last image is alone in its --tilt group of 2"), std::string::npos);
  for (const std::string& silent : {note(8, 4, 0), note(10, 4, 0), note(8, 4, 2), note(1, 1, 0, 0)}) {
    EXPECT_EQ(silent, "");
  }
}

TEST(SampleFolder, DoesNotReplaceSamplesOfUnknownOrigin) {
  const TemporaryFolder folder;
  write_atomically(folder / "samples.npz", "");
  EXPECT_NE(error_of(folder.path(), SampleConfig()).find("no run.json says how it was made"), std::string::npos);
}

}  // namespace
}  // namespace sextant::commands
