// What a run meets on real machines: full and read-only disks, folders that go, files that change, numbers that burst.
#include <csignal>
#include <memory>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "support/small_disk.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::SmallDisk;

/// A run of 40 images in 20 batches, which can be met in the middle.
std::vector<std::string> twenty_batches(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = small_run(out, {"--count", "40", "--batch", "2", "--steps", "5"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::unique_ptr<Program> rank_of_two(int rank, const fs::path& out) {
  const Rank environment(rank, 2);
  return std::make_unique<Program>(twenty_batches(out));
}

int64_t batches_in(const fs::path& out) {
  int64_t count = 0;
  std::error_code gone;
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "samples.batches", gone)) {
    const std::string name = entry.path().filename();
    count += name[0] != '.' && name.ends_with(".npz") ? 1 : 0;
  }
  return count;
}

void wait_for_batches(const fs::path& out, int64_t count, const Program& program) {
  while (batches_in(out) < count && program.runs()) usleep(1000);
}

void expect_one_line(const Outcome& outcome, int exit_code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  const std::size_t at = outcome.err.rfind("sextant sample: ");
  ASSERT_NE(at, std::string::npos) << outcome.err;
  const std::string last = outcome.err.substr(at);
  EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 1) << outcome.err;
  for (const std::string& part : parts) EXPECT_NE(last.find(part), std::string::npos) << part << " in " << last;
}

/// Two ranks finish what is there, in the bytes of one process.
void expect_finished(const fs::path& out) {
  const auto first = rank_of_two(0, out);
  const auto second = rank_of_two(1, out);
  for (Program* rank : {first.get(), second.get()}) {
    const Outcome outcome = rank->finish();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(twenty_batches(folder / "whole")).exit_code, 0);
  EXPECT_EQ(read_file(out / "samples.npz"), read_file(folder / "whole/samples.npz"));
}

TEST(Faults, AFullDiskEndsAShareInOneLineAndKeepsItsBatches) {
  const SmallDisk disk(60);
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount a disk";
  const fs::path out = disk / "o";
  const Outcome outcome = rank_of_two(0, out)->finish();
  expect_one_line(outcome, 1,
                  {"share 1 of 2 on ", ", batch ", "No space left on device", "The other batches are kept"});
  EXPECT_GE(batches_in(out), 1);
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "samples.batches")) {
    EXPECT_NE(entry.path().filename().string()[0], '.') << "half a file is left: " << entry.path();
    if (entry.path().extension() == ".npz") {
      EXPECT_NO_THROW(checkpoint::load_npz(entry.path()));
    }
  }
  ASSERT_TRUE(disk.resize(20'000));
  expect_finished(out);
}

TEST(Faults, AFullDiskRefusesARunBeforeItDraws) {
  const SmallDisk disk(60);
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount a disk";
  expect_one_line(sextant(twenty_batches(disk / "o", {"--count", "1000"})), 1,
                  {"cannot reserve", "No space left on device"});
}

TEST(Faults, ADiskThatTurnsReadOnlyEndsAShareInOneLineAndKeepsItsBatches) {
  const SmallDisk disk(20'000);
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount a disk";
  const fs::path out = disk / "o";
  const auto rank = rank_of_two(0, out);
  wait_for_batches(out, 1, *rank);
  while (!disk.make_read_only()) usleep(100);
  expect_one_line(rank->finish(), 1, {"Read-only file system"});
  ASSERT_TRUE(disk.make_writable());
  EXPECT_GE(batches_in(out), 1);
  expect_finished(out);
}

TEST(Faults, AFolderThatIsRemovedUnderItsShareIsNamed) {
  const TemporaryFolder folder;
  const fs::path out = folder / "o";
  const auto rank = rank_of_two(0, out);
  wait_for_batches(out, 1, *rank);
  std::error_code busy;
  for (int tries = 0; fs::exists(out) && tries < 1000; ++tries) fs::remove_all(out, busy);
  expect_one_line(rank->finish(), 1, {out.string()});
  EXPECT_FALSE(fs::exists(out / "samples.npz"));
}

TEST(Faults, AFolderThatIsRemovedUnderItsRunIsNamed) {
  const TemporaryFolder folder;
  Program program(twenty_batches(folder / "o", {"--count", "100000"}));  // more than it could draw in the test's time
  ASSERT_TRUE(wait_for_first_batch(folder / "o"));
  std::error_code busy;
  while (fs::exists(folder / "o")) fs::remove_all(folder / "o", busy);
  expect_one_line(program.finish(), 1, {(folder / "o").string(), "No such file or directory", "start it again"});
}

TEST(Faults, AFinishedRunWhoseImagesWereCutIsNamedAndDrawnAgain) {
  const TemporaryFolder folder;
  const fs::path npz = folder / "o/samples.npz";
  ASSERT_EQ(sextant(twenty_batches(folder / "o")).exit_code, 0);
  const std::string whole = read_file(npz);
  fs::resize_file(npz, 1000);
  expect_one_line(sextant(twenty_batches(folder / "o")), 1,
                  {npz.string() + " has 1000 bytes, where its run wrote " + std::to_string(whole.size()), "remove it"});
  fs::remove(npz);
  ASSERT_EQ(sextant(twenty_batches(folder / "o")).exit_code, 0);
  EXPECT_EQ(read_file(npz), whole);
}

TEST(Faults, AKillBetweenTheImagesAndTheirRecordIsNoDamage) {
  const TemporaryFolder folder;
  const fs::path record = folder / "o/run.json";
  ASSERT_EQ(sextant(twenty_batches(folder / "o", {"--count", "10"})).exit_code, 0);
  const std::string before = read_file(record);
  ASSERT_EQ(sextant(twenty_batches(folder / "o")).exit_code, 0);
  const std::string whole = read_file(folder / "o/samples.npz");
  write_atomically(record, before);
  const Outcome again = sextant(twenty_batches(folder / "o"));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(read_file(folder / "o/samples.npz"), whole);
}

TEST(Faults, ASecondRunInAFolderIsRefusedAndTheFirstGoesOn) {
  const TemporaryFolder folder;
  Program first(twenty_batches(folder / "o"));
  ASSERT_TRUE(wait_for_first_batch(folder / "o"));
  expect_one_line(sextant(twenty_batches(folder / "o")), 1, {"another run is writing to " + (folder / "o").string()});
  EXPECT_EQ(first.finish().exit_code, 0);
  ASSERT_EQ(sextant(twenty_batches(folder / "whole")).exit_code, 0);
  EXPECT_EQ(read_file(folder / "o/samples.npz"), read_file(folder / "whole/samples.npz"));
}

/// A copy of the bundled model, one of whose tensors is then changed.
class ChangedModel : public ::testing::Test {
 protected:
  ChangedModel() { fs::copy(bundled("mnist-adm"), folder_ / "m", fs::copy_options::recursive); }

  void change(const std::string& name, const std::function<Tensor(const Tensor&)>& how) const {
    checkpoint::StateDict weights;
    for (const auto& [key, tensor] : checkpoint::load(folder_ / "m/model.safetensors").tensors) {
      weights.set(key, key == name ? how(tensor) : tensor.clone());
    }
    checkpoint::save_safetensors(folder_ / "m/model.safetensors", weights);
  }

  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = twenty_batches(folder_ / "o", {"--model", folder_ / "m"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(ChangedModel, UnderAnUnfinishedRunIsRefused) {
  Program program(words());
  ASSERT_TRUE(wait_for_first_batch(folder_ / "o"));
  program.signal(SIGKILL);
  program.finish();
  change("out.2.bias", [](const Tensor& bias) { return bias + 1e-3; });
  expect_one_line(sextant(words()), 2, {"are not those that the images in " + (folder_ / "o").string(), "--overwrite"});
  ASSERT_EQ(sextant(words({"--overwrite"})).exit_code, 0);
  const std::string replaced = read_file(folder_ / "o/samples.npz");
  fs::remove_all(folder_ / "o");
  ASSERT_EQ(sextant(words()).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "o/samples.npz"), replaced) << "an image of the former weights was kept";
}

TEST_F(ChangedModel, UnderBatchesOfTasksIsRefused) {
  ASSERT_EQ(sextant(words({"--shard", "1/2"})).exit_code, 0);
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  expect_one_line(
      sextant(words()), 2,
      {"the weights of the model (", "are not those that the images in " + (folder_ / "o").string(), "--overwrite"});
  EXPECT_TRUE(fs::exists(folder_ / "o/samples.batches/0.npz"));
  EXPECT_FALSE(fs::exists(folder_ / "o/samples.npz"));
  ASSERT_EQ(sextant(words({"--overwrite"})).exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "o/samples.batches"));
  const std::string replaced = read_file(folder_ / "o/samples.npz");
  ASSERT_EQ(sextant(words({"--out", folder_ / "fresh"})).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "fresh/samples.npz"), replaced) << "a batch of the former weights was kept";
}

TEST_F(ChangedModel, UnderTheFolderOfAMergeIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "4"})).exit_code, 0);
  const std::string former = read_file(folder_ / "o/samples.npz");
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  for (const char* k : {"1", "2"}) {
    const std::string shard = std::string(k) + "/2";
    ASSERT_EQ(sextant(words({"--count", "6", "--shard", shard, "--out", folder_ / k})).exit_code, 0);
  }
  const Outcome merged = sextant({"merge", folder_ / "1", folder_ / "2", "--out", folder_ / "o"});
  EXPECT_EQ(merged.exit_code, 2);
  EXPECT_NE(merged.err.find("are not those that the images in " + (folder_ / "o").string()), std::string::npos)
      << merged.err;
  EXPECT_EQ(merged.err.find("--overwrite"), std::string::npos) << merged.err;
  EXPECT_EQ(read_file(folder_ / "o/samples.npz"), former);
}

TEST_F(ChangedModel, UnderARunThatGrowsIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "4"})).exit_code, 0);
  change("out.2.bias", [](const Tensor& bias) { return bias + 1e-3; });
  expect_one_line(sextant(words({"--count", "6"})), 2, {"are not those that the images in"});
}

TEST_F(ChangedModel, UnderAFinishedRunIsRefusedAndReplacedWhereThatIsAskedFor) {
  ASSERT_EQ(sextant(words({"--count", "2"})).exit_code, 0);
  const std::string first = read_file(folder_ / "o/samples.npz");
  change("out.2.bias", [](const Tensor& bias) { return bias.clone(); });  // another file of the same weights
  EXPECT_NE(sextant(words({"--count", "2"})).out.find("drawn before this run"), std::string::npos);
  change("out.2.bias", [](const Tensor& bias) { return bias + 0.5; });
  expect_one_line(sextant(words({"--count", "2"})), 2, {"the weights of the model (", "are not those that the images"});
  ASSERT_EQ(sextant(words({"--count", "2", "--overwrite"})).exit_code, 0);
  EXPECT_NE(read_file(folder_ / "o/samples.npz"), first);
}

TEST_F(ChangedModel, OfWhichTheSettingsChangedIsRefused) {
  ASSERT_EQ(sextant(words({"--count", "2"})).exit_code, 0);
  nlohmann::json config = nlohmann::json::parse(read_file(folder_ / "m/config.json"));
  write_atomically(folder_ / "m/config.json", config.dump());  // written otherwise, and the same
  EXPECT_NE(sextant(words({"--count", "2"})).out.find("drawn before this run"), std::string::npos);
  config["diffusion"]["noise_schedule"] = "linear";
  write_atomically(folder_ / "m/config.json", config.dump());
  expect_one_line(sextant(words({"--count", "2"})), 2,
                  {"the settings (", "config.json) are not those that the images"});
  expect_one_line(sextant(words({"--count", "4"})), 2,
                  {"the settings (", "config.json) are not those that the images"});
}

TEST(Attributes, ReadFromAFileThatChangedAreRefused) {
  const TemporaryFolder folder;
  const auto drawn = [&](const std::string& answers) {
    write_atomically(folder / "a.csv", answers);
    return sextant({"sample", "--model", bundled("mnist-adm"), "--classifier", bundled("mnist-attributes"), "--labels",
                    "0-9", "--count", "2", "--steps", "2", "--attributes", folder / "a.csv", "--out", folder / "o"});
  };
  ASSERT_EQ(drawn("loop,thick\n1,0\n").exit_code, 0);
  EXPECT_EQ(drawn("loop,thick\n1,0\n").exit_code, 0);
  expect_one_line(drawn("loop,thick\n0,1\n"), 2, {"the answers (", "a.csv) are not those that the images"});
}

TEST_F(ChangedModel, OfWhichOneClassBurstsNamesStepAndImageAndKeepsTheOtherBatches) {
  change("label_emb.weight", [](const Tensor& rows) {
    const Tensor changed = rows.clone();
    changed[5] = 1e37;
    return changed;
  });
  // Image 5 is the first of class 5, in the third batch of two.
  expect_one_line(sextant(words()), 1,
                  {"images 4 to 5: ", "at step ", "sample 1 of the batch", "4 of 40 images are kept"});
}

}  // namespace
}  // namespace sextant::cli::testing
