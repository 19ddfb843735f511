// What tasks that share a run find in its folder: files that are damaged or differ, a smaller run, what others left.
#include <csignal>
#include <functional>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

/// 8 images in batches of 2.
std::vector<std::string> eight_images(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {
      "sample", "--model", bundled("mnist-adm"), "--count", "8", "--batch", "2", "--steps", "2", "--labels", "0-9",
      "--out",  out,       "--threads",          "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void expect_drawn(const fs::path& out, const std::vector<std::string>& more) {
  const Outcome outcome = sextant(eight_images(out, more));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

void expect_told(const Outcome& outcome, int exit_code, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
}

/// Turns the pixels of a batch upside down, in a file that is whole.
void negate(const fs::path& batch) {
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (const auto& [name, array] : checkpoint::load_npz(batch)) {
    arrays.emplace_back(name, name == "images" ? 255 - array : array.clone());
  }
  checkpoint::save_npz(batch, arrays);
}

class Leftovers : public ::testing::Test {
 protected:
  std::string whole(const std::string& count = "8") const {
    expect_drawn(folder_ / ("whole" + count), {"--count", count});
    return read_file(folder_ / ("whole" + count) / "samples.npz");
  }

  TemporaryFolder folder_;
  const fs::path out_ = folder_ / "o";
  const fs::path batches_ = out_ / "samples.batches";
};

TEST_F(Leftovers, DamagedSettingsAreNotWrittenOver) {
  expect_drawn(out_, {"--shard", "1/2"});
  write_atomically(batches_ / "settings.json", "");
  const std::string damaged = (batches_ / "settings.json").string() + " is damaged: it is no JSON";
  expect_told(sextant(eight_images(out_, {"--seed", "1", "--shard", "2/2"})), 2, damaged);
  expect_told(sextant({"merge", out_}), 2, damaged);
  EXPECT_EQ(read_file(batches_ / "settings.json"), "");
}

TEST_F(Leftovers, ADamagedRecordIsNotWrittenOver) {
  expect_drawn(out_, {});
  write_atomically(out_ / "run.json", "{\"command\":");
  expect_told(sextant(eight_images(out_)), 2, (out_ / "run.json").string() + " is damaged: it is no JSON of a run");
  expect_drawn(out_, {"--overwrite"});
  EXPECT_EQ(read_file(out_ / "samples.npz"), whole());
}

TEST_F(Leftovers, ADamagedBatchIsNamedWithWhatToDo) {
  expect_drawn(out_, {"--shard", "1/2"});
  write_atomically(batches_ / "0.npz", "");
  const Outcome last = sextant(eight_images(out_, {"--shard", "2/2"}));
  expect_told(last, 1, (batches_ / "0.npz").string());
  expect_told(last, 1, "Remove it and start its task again");
  fs::remove(batches_ / "0.npz");
  expect_drawn(out_, {"--shard", "1/2"});
  EXPECT_EQ(read_file(out_ / "samples.npz"), whole());
}

TEST_F(Leftovers, ABatchThatDiffersBetweenFoldersIsNotMerged) {
  for (const char* name : {"a", "b"}) expect_drawn(folder_ / name, {"--shard", "1/1", "--count", "4"});
  for (const char* name : {"a", "b"}) expect_drawn(folder_ / name, {"--shard", "1/2"});
  expect_drawn(folder_ / "c", {"--shard", "2/2"});
  const fs::path a = folder_ / "a/samples.batches/2.npz", b = folder_ / "b/samples.batches/2.npz";
  const std::vector<std::string> merge = {"merge", folder_ / "a", folder_ / "b", folder_ / "c", "--out", out_};
  const Outcome alike = sextant(merge);
  EXPECT_EQ(alike.exit_code, 0) << alike.err;
  EXPECT_EQ(read_file(out_ / "samples.npz"), whole()) << "images 0 to 3 are those that a and b had before";
  fs::remove_all(out_);
  negate(b);
  expect_told(sextant(merge), 1,
              a.string() + " and " + b.string() + " hold different samples of one batch; remove the one that is wrong");
  EXPECT_FALSE(fs::exists(out_ / "samples.npz"));
}

TEST_F(Leftovers, AMergeOnlyReadsItsSourcesAndRemovesWhatIsPutTogetherInOneOfThem) {
  const fs::path a = folder_ / "a", b = folder_ / "b";
  expect_drawn(a, {"--shard", "1/2"});
  expect_drawn(b, {"--shard", "2/2"});
  const auto changed = [](const fs::path& folder) { return fs::last_write_time(folder / "samples.batches"); };
  const auto before = std::pair(changed(a), changed(b));
  ASSERT_EQ(sextant({"merge", a, b, "--out", out_}).exit_code, 0);
  EXPECT_EQ(std::pair(changed(a), changed(b)), before) << "something was written there";
  ASSERT_EQ(sextant({"merge", b, a, "--out", a}).exit_code, 0);
  EXPECT_FALSE(fs::exists(a / "samples.batches"));
  EXPECT_TRUE(fs::exists(b / "samples.batches"));
  EXPECT_EQ(read_file(a / "samples.npz"), whole());
}

TEST_F(Leftovers, AShareOfAGrowingRunDrawsOnlyWhatIsMissing) {
  expect_drawn(out_, {"--count", "5"});
  expect_drawn(out_, {"--shard", "1/2"});
  EXPECT_FALSE(fs::exists(batches_ / "0.npz")) << "images 0 and 1 were there";
  EXPECT_TRUE(fs::exists(batches_ / "2.npz")) << "image 5 was not";
  expect_drawn(out_, {"--shard", "2/2"});
  EXPECT_FALSE(fs::exists(batches_));
  EXPECT_EQ(read_file(out_ / "samples.npz"), whole());
}

TEST_F(Leftovers, BatchesOfACompleteRunDoNotKeepItFromGrowing) {
  const auto left_by_a_kill = [&] {
    expect_drawn(out_, {"--shard", "1/2", "--count", "6"});
    fs::copy(batches_, folder_ / "copy");
    expect_drawn(out_, {"--shard", "2/2", "--count", "6"});
    fs::rename(folder_ / "copy", batches_);
  };
  left_by_a_kill();
  expect_drawn(out_, {"--count", "6"});
  EXPECT_FALSE(fs::exists(batches_)) << "of a run that is there already";
  for (const bool shared : {false, true}) {
    fs::remove_all(out_);
    left_by_a_kill();
    if (shared) expect_drawn(out_, {"--shard", "1/2"});
    expect_drawn(out_, shared ? std::vector<std::string>{"--shard", "2/2"} : std::vector<std::string>{});
    EXPECT_EQ(read_file(out_ / "samples.npz"), whole());
    EXPECT_FALSE(fs::exists(batches_));
  }
}

TEST_F(Leftovers, FinishedBatchesAreKeptByAProcessThatGoesOnAlone) {
  expect_drawn(out_, {"--shard", "1/2"});
  negate(batches_ / "2.npz");
  write_atomically(batches_ / "0.npz", "");
  const Outcome alone = sextant(eight_images(out_));
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_NE((alone.out + alone.err).find("0.npz is damaged: its images are drawn again"), std::string::npos)
      << alone.out << alone.err;
  EXPECT_FALSE(fs::exists(batches_));
  const std::string expected = whole();
  Tensor images = checkpoint::load_npz(folder_ / "whole8/samples.npz").at("arr_0").clone();
  images.slice(0, 4, 6).copy_(255 - images.slice(0, 4, 6));
  EXPECT_TRUE(images.equal(checkpoint::load_npz(out_ / "samples.npz").at("arr_0"))) << "batch 2 was drawn again";
}

TEST_F(Leftovers, BatchesOfAnotherRunAreNotPassedOver) {
  expect_drawn(out_, {"--shard", "1/2"});
  const std::vector<std::string> other = {"--seed", "1"}, replacing = {"--seed", "1", "--overwrite"};
  expect_told(sextant(eight_images(out_, other)), 2,
              batches_.string() +
                  " holds batches of another run: [sample] seed is 0 there and 1 here; choose another "
                  "--out, or --overwrite to replace it");
  EXPECT_TRUE(fs::exists(batches_ / "0.npz"));
  EXPECT_FALSE(fs::exists(out_ / "samples.npz"));
  expect_drawn(out_, replacing);
  EXPECT_FALSE(fs::exists(batches_));
  expect_drawn(folder_ / "other", other);
  EXPECT_EQ(read_file(out_ / "samples.npz"), read_file(folder_ / "other/samples.npz"));
}

TEST_F(Leftovers, ImagesThatSharesDoNotTakeOverAreNamed) {
  Program program(eight_images(out_, {"--count", "400"}));
  ASSERT_TRUE(wait_for_first_batch(out_));
  program.signal(SIGKILL);
  program.finish();
  const Outcome share = sextant(eight_images(out_, {"--count", "400", "--shard", "1/100"}));
  EXPECT_EQ(share.exit_code, 0) << share.err;
  EXPECT_NE((share.out + share.err).find("holds images of one process, which shares draw again"), std::string::npos)
      << share.out << share.err;
}

}  // namespace
}  // namespace sextant::cli::testing
