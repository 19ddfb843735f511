// What a run meets on real machines: full and read-only disks, folders that go.
#include <csignal>
#include <memory>

#include "cli/faults_fixture.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "support/small_disk.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using sextant::testing::SmallDisk;

std::unique_ptr<Program> rank_of_two(int rank, const fs::path& out) {
  const Rank environment(rank, 2);
  return std::make_unique<Program>(twenty_batches(out));
}

void wait_for_batches(const fs::path& out, int64_t count, const Program& program) {
  while (batches_in(out) < count && program.runs()) usleep(1000);
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

}  // namespace
}  // namespace sextant::cli::testing
