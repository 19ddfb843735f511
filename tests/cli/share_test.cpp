#include <cmath>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

/// 21 images in batches of 4: five whole ones and one of a single image.
std::vector<std::string> run_into(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = small_run(out, {"--count", "21", "--batch", "4", "--threads", "1"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::unique_ptr<Program> start(int rank, int size, const fs::path& out, const std::vector<std::string>& more = {}) {
  const Rank environment(rank, size);
  return std::make_unique<Program>(run_into(out, more));
}

void expect_done(Program& program) {
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

class SharedRun : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sextant(run_into(folder_ / "whole")).exit_code, 0); }

  /// The same bytes as one process, and nothing left of the shares.
  void expect_whole(const fs::path& out) const {
    ASSERT_TRUE(fs::exists(out / "samples.npz"));
    EXPECT_EQ(read_file(out / "samples.npz"), read_file(folder_ / "whole/samples.npz"));
    EXPECT_EQ(read_file(out / "grid.png"), read_file(folder_ / "whole/grid.png"));
    EXPECT_FALSE(fs::exists(out / "samples.batches"));
    EXPECT_FALSE(fs::exists(out / "samples.partial"));
    EXPECT_NE(read_file(out / "run.json").find("\"complete\": true"), std::string::npos);
  }

  TemporaryFolder folder_;
};

TEST_F(SharedRun, OfTwoAndThreeRanksIsTheSameBytesAsOfOne) {
  for (const int size : {2, 3}) {
    const fs::path out = folder_ / std::to_string(size);
    std::vector<std::unique_ptr<Program>> ranks;
    for (int rank = 0; rank < size; ++rank) ranks.push_back(start(rank, size, out));
    for (const auto& rank : ranks) expect_done(*rank);
    expect_whole(out);
  }
}

TEST_F(SharedRun, OfTiltedImagesIsTheSameBytes) {
  const std::vector<std::string> tilted = {"--tilt", "-0.2", "--guidance", "js"};
  ASSERT_EQ(sextant(run_into(folder_ / "tilted", tilted)).exit_code, 0);
  const auto first = start(0, 2, folder_ / "o", tilted);
  const auto second = start(1, 2, folder_ / "o", tilted);
  expect_done(*first);
  expect_done(*second);
  EXPECT_EQ(read_file(folder_ / "o/samples.npz"), read_file(folder_ / "tilted/samples.npz"));
}

TEST_F(SharedRun, OfKilledRanksIsFinishedByAnotherNumberOfThem) {
  const fs::path out = folder_ / "o";
  std::vector<std::unique_ptr<Program>> ranks;
  for (int rank = 0; rank < 3; ++rank) ranks.push_back(start(rank, 3, out, {"--lease", "1000"}));
  while (!fs::exists(out / "samples.batches") ||
         std::distance(fs::directory_iterator(out / "samples.batches"), {}) < 3) {
  }
  for (const auto& rank : ranks) rank->signal(SIGKILL);
  for (const auto& rank : ranks) EXPECT_EQ(rank->finish().exit_code, 128 + SIGKILL);
  // The lease is long, but their processes are seen to be gone.
  const auto first = start(0, 2, out);
  const auto second = start(1, 2, out);
  expect_done(*first);
  expect_done(*second);
  expect_whole(out);
}

TEST_F(SharedRun, ByTasksOneAfterTheOtherInOneFolderIsPutTogetherByTheLast) {
  const fs::path out = folder_ / "o";
  for (const char* shard : {"2/4", "1/4", "4/4"}) {
    const Outcome outcome = sextant(run_into(out, {"--shard", shard}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  // The second task saw that others work here, and drew what nobody had begun.
  expect_whole(out);
  EXPECT_NE(sextant(run_into(out, {"--shard", "3/4"})).out.find("drawn before this run"), std::string::npos);
}

TEST_F(SharedRun, IsPutTogetherByTheFirstWhereTheOneThatHadBegunIsGone) {
  const fs::path out = folder_ / "o";
  const std::string there = " of 21 images in " + out.string();
  EXPECT_EQ(sextant(run_into(out, {"--shard", "1/2"})).out, "12" + there + "; the others are other tasks' share\n");
  // The number after those of the six batches claims them all; the other machine is seen to be gone after a lease.
  write_atomically(out / "samples.batches/6.claim", "elsewhere boot pid:[1] 1 1");
  const Outcome second = sextant(run_into(out, {"--shard", "2/2", "--lease", "2"}));
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.out, "21" + there + "\n");
  expect_whole(out);
}

TEST_F(SharedRun, ByTasksInFoldersOfTheirOwnIsMerged) {
  const fs::path a = folder_ / "a";
  const fs::path b = folder_ / "b";
  const Outcome share = sextant(run_into(a, {"--shard", "1/2"}));
  EXPECT_EQ(share.exit_code, 0) << share.err;
  EXPECT_NE(share.out.find("12 of 21 images"), std::string::npos) << share.out;
  const Outcome early = sextant({"merge", a, "--out", folder_ / "o"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_NE(early.err.find("3 of 6 batches are missing: 1, 3, 5; start their tasks again"), std::string::npos)
      << early.err;
  ASSERT_EQ(sextant(run_into(b, {"--shard", "2/2"})).exit_code, 0);
  const Outcome merged = sextant({"merge", a, b, "--out", folder_ / "o"});
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_NE(merged.out.find("21 of 21 images"), std::string::npos) << merged.out;
  expect_whole(folder_ / "o");
}

TEST_F(SharedRun, OfABillionImagesTakesTheMemoryOfASmallOne) {
  const auto most_memory = [](const Program& program) {  // kB
    const std::string status = read_file("/proc/" + std::to_string(program.process()) + "/status");
    return std::stol(status.substr(status.find("VmHWM:") + 6));
  };
  std::vector<long> kilobytes;
  for (const char* count : {"1000", "1000000000"}) {
    const fs::path out = folder_ / count;
    Program program(run_into(out, {"--count", count, "--shard", "1/4"}));
    while (program.runs() && !fs::exists(out / "samples.batches/4.npz")) {
    }
    ASSERT_TRUE(program.runs()) << program.finish().err;
    kilobytes.push_back(most_memory(program));
    program.signal(SIGTERM);
    program.finish();
  }
  // 250 million batches: a bit each.
  EXPECT_LT(kilobytes[1] - kilobytes[0], 100'000);
  const Outcome merged = sextant({"merge", folder_ / "1000000000", "--out", folder_ / "o"});
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_NE(merged.err.find(" of 250000000 batches are missing: 1, 2, 3, 5, "), std::string::npos) << merged.err;
}

TEST_F(SharedRun, RefusesADamagedBatchByName) {
  const fs::path a = folder_ / "a";
  ASSERT_EQ(sextant(run_into(a, {"--shard", "1/1"})).exit_code, 0);
  ASSERT_EQ(sextant(run_into(folder_ / "b", {"--shard", "1/2"})).exit_code, 0);
  const fs::path batch = folder_ / "b/samples.batches/2.npz";
  std::string bytes = read_file(batch);
  bytes[bytes.size() / 2] ^= 1;
  write_atomically(batch, bytes);
  ASSERT_EQ(sextant(run_into(folder_ / "c", {"--shard", "2/2"})).exit_code, 0);
  const Outcome outcome = sextant({"merge", folder_ / "b", folder_ / "c", "--out", folder_ / "o"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("2.npz"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "o/samples.npz"));
  EXPECT_TRUE(fs::exists(folder_ / "b/samples.batches/0.npz")) << "nothing is removed";
}

TEST_F(SharedRun, RefusesABatchWhoseLabelsAreNone) {
  ASSERT_EQ(sextant(run_into(folder_ / "b", {"--shard", "1/2"})).exit_code, 0);
  ASSERT_EQ(sextant(run_into(folder_ / "c", {"--shard", "2/2"})).exit_code, 0);
  const fs::path batch = folder_ / "b/samples.batches/2.npz";
  const checkpoint::NpzReader reader(batch);
  const Tensor images = reader.read("images").clone(), traces = reader.read("traces").clone();
  for (const double label : {std::nan(""), 1e300, -2.0, 0.5}) {
    Tensor records = reader.read("records").clone();
    records[1][0] = label;
    checkpoint::save_npz(folder_ / "batch.npz", {{"images", images}, {"records", records}, {"traces", traces}});
    fs::rename(folder_ / "batch.npz", batch);
    const Outcome outcome = sextant({"merge", folder_ / "b", folder_ / "c", "--out", folder_ / "o"});
    EXPECT_EQ(outcome.exit_code, 1) << label;
    EXPECT_NE(outcome.err.find("2.npz: 'records' has "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(" where a label should be"), std::string::npos) << outcome.err;
  }
}

TEST(Merge, OfBatchesWithDamagedSettingsIsRefusedByName) {
  const TemporaryFolder folder;
  for (const char* sample :
       {R"({"count": 3, "batch": 0})", R"({"count": "3", "batch": 1})", R"({"count": -3, "batch": 1})",
        R"({"count": 1e18, "batch": 1})", R"({"count": 18446744073709551615, "batch": 1})", "3"}) {
    fs::create_directories(folder / "a/samples.batches");
    write_atomically(folder / "a/samples.batches/settings.json", std::string(R"({"sample": )") + sample + "}");
    const Outcome outcome = sextant({"merge", folder / "a", "--out", folder / "o"});
    EXPECT_EQ(outcome.exit_code, 2) << sample;
    EXPECT_NE(
        outcome.err.find("a/samples.batches/settings.json is damaged: it has no possible [sample] count and batch"),
        std::string::npos)
        << outcome.err;
  }
}

TEST(Shard, ThatIsNoneOrOfAnotherRunIsRefused) {
  const TemporaryFolder folder;
  for (const char* shard : {"0/4", "5/4", "2", "a/b", "1/0", "1/-2"}) {
    const Outcome outcome = sextant(run_into(folder / "o", {"--shard", shard}));
    EXPECT_EQ(outcome.exit_code, 2) << shard;
    EXPECT_NE(outcome.err.find("--shard must be K/N with K from 1 to N"), std::string::npos) << outcome.err;
  }
  ASSERT_EQ(sextant(run_into(folder / "o", {"--shard", "1/2"})).exit_code, 0);
  const Outcome other = sextant(run_into(folder / "o", {"--shard", "2/2", "--seed", "99"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("[sample] seed is"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace sextant::cli::testing
