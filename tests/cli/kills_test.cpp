// Jobs of two processes that are killed again and again.
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

class KilledJob : public ::testing::Test {
 protected:
  std::vector<std::string> words(const fs::path& out, int64_t images) const {
    return small_run(out, {"--count", std::to_string(images), "--batch", "4", "--threads", "1", "--lease", "1000"});
  }

  std::unique_ptr<Program> start(int rank, int64_t images) const {
    const Rank environment(rank, 2);
    return std::make_unique<Program>(words(out_, images));
  }

  /// How many images two processes draw in so many seconds, at most, with a margin.
  int64_t images_in(double seconds) const {
    const auto begin = Clock::now();
    EXPECT_EQ(sextant(words(folder_ / "one", 4)).exit_code, 0);
    const double starting = seconds_since(begin);
    const auto second = Clock::now();
    EXPECT_EQ(sextant(words(folder_ / "more", 104)).exit_code, 0);
    const double an_image = std::max(1e-4, (seconds_since(second) - starting) / 100);
    return static_cast<int64_t>(3 * seconds / an_image) / 4 * 4 + 40;
  }

  /// Each batch that is there by its name is whole, whenever its process was killed.
  void expect_whole_batches() {
    std::error_code gone;
    for (const fs::directory_entry& entry : fs::directory_iterator(out_ / "samples.batches", gone)) {
      const std::string name = entry.path().filename();
      if (entry.path().extension() != ".npz" || name[0] == '.' || !read_.insert(name).second) continue;
      EXPECT_NO_THROW(checkpoint::load_npz(entry.path())) << name;
    }
  }

  /// Starts both ranks again and again and kills one or both at random times of up to `longest` seconds.
  void kill_at_random(int kills, double longest, int64_t images) {
    std::mt19937 random(20261126);
    std::uniform_real_distribution<double> when(0, longest);
    std::unique_ptr<Program> ranks[2];
    for (int killed = 0; killed < kills;) {
      for (int rank = 0; rank < 2; ++rank) {
        if (!ranks[rank]) ranks[rank] = start(rank, images);
      }
      sleep(when(random));
      ASSERT_FALSE(fs::exists(out_ / "samples.npz")) << "the job was too short for its kills";
      const unsigned who = random() % 3;  // 2 is both
      for (unsigned rank = 0; rank < 2; ++rank) {
        if (who != rank && who != 2) continue;
        ranks[rank]->signal(SIGKILL);
        ASSERT_EQ(ranks[rank]->finish().exit_code, 128 + SIGKILL) << "it had ended by itself";
        ranks[rank].reset();
        ++killed;
      }
      expect_whole_batches();
    }
    for (int rank = 0; rank < 2; ++rank) {
      if (!ranks[rank]) ranks[rank] = start(rank, images);
    }
    for (const auto& rank : ranks) {
      const Outcome outcome = rank->finish();
      EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    }
  }

  void expect_uninterrupted(int64_t images) {
    ASSERT_EQ(sextant(words(folder_ / "whole", images)).exit_code, 0);
    ASSERT_TRUE(fs::exists(out_ / "samples.npz"));
    EXPECT_EQ(read_file(out_ / "samples.npz"), read_file(folder_ / "whole/samples.npz"));
    EXPECT_FALSE(fs::exists(out_ / "samples.batches"));
  }

  TemporaryFolder folder_;
  fs::path out_ = folder_ / "o";
  std::set<std::string> read_;  ///< batches
};

TEST_F(KilledJob, OfTwoProcessesIsTheSameBytesAfterFiveKills) {
  const int64_t images = images_in(5 * 0.3);
  kill_at_random(5, 0.3, images);
  expect_uninterrupted(images);
}

using FullKilledJob = KilledJob;

TEST_F(FullKilledJob, OfTwoProcessesIsTheSameBytesAfterFiftyKills) {
  const int64_t images = images_in(50 * 0.6);
  kill_at_random(50, 1.2, images);
  expect_uninterrupted(images);
}

/// Of a process, in KiB; 0 once it has ended.
int64_t resident(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    int64_t size = 0;
    status >> size;
    return size;
  }
  return 0;
}

int64_t descriptors(pid_t process) {
  std::error_code gone;
  return std::distance(fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", gone), {});
}

/// What a process takes while it works.
struct Use {
  double second;
  int64_t resident, descriptors;
};

/// The largest of a part of the uses.
template <class Member>
double most(const std::vector<Use>& uses, double from, double to, Member member) {
  int64_t largest = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(uses.size());
    if (place >= from && place < to) largest = std::max(largest, uses[i].*member);
  }
  return static_cast<double>(largest);
}

TEST_F(FullKilledJob, SoakOfFiveThousandImagesLeaksNothing) {
  constexpr int64_t kImages = 5000;
  kill_at_random(6, 2, kImages);
  if (HasFatalFailure()) return;
  expect_uninterrupted(kImages);
  // The second half: an undisturbed job of as many images, watched from when both processes are warm.
  fs::remove_all(out_);
  const std::unique_ptr<Program> ranks[] = {start(0, kImages), start(1, kImages)};
  std::vector<Use> uses[2];
  const auto begin = Clock::now();
  while (ranks[0]->runs() && ranks[1]->runs()) {
    sleep(0.25);
    for (int rank = 0; rank < 2; ++rank) {
      const pid_t process = ranks[rank]->process();
      // The results are put together by one of them, with another need of memory.
      if (!fs::exists(out_ / "samples.partial")) {
        uses[rank].push_back({seconds_since(begin), resident(process), descriptors(process)});
      }
    }
  }
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(ranks[rank]->finish().exit_code, 0);
    ASSERT_GT(uses[rank].size(), 20U) << "too quick to see anything";
    const double middle = most(uses[rank], 0.5, 0.75, &Use::resident), end = most(uses[rank], 0.75, 1, &Use::resident);
    EXPECT_LT(end, 1.02 * middle) << "resident memory of rank " << rank << " in KiB";
    // A batch file that is being written is one more or less.
    EXPECT_LE(most(uses[rank], 0.75, 1, &Use::descriptors), most(uses[rank], 0.25, 0.75, &Use::descriptors) + 1);
    std::cout << "rank " << rank << ": " << middle / 1024 << " MB, then " << end / 1024 << " MB; "
              << most(uses[rank], 0.75, 1, &Use::descriptors) << " descriptors\n";
  }
  EXPECT_EQ(read_file(out_ / "samples.npz"), read_file(folder_ / "whole/samples.npz"));
}

}  // namespace
}  // namespace sextant::cli::testing
