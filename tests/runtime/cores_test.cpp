#include "internal/runtime/cores.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <vector>

namespace sextant {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TEST(BusyCores, AreNotBusyAtTheFirstLook) {
  BusyCores cores;
  EXPECT_FALSE(cores.observe(1000 * kMillisecond, 0));
}

TEST(BusyCores, AreBusyWhenThreadsStoodInLineForMoreThanATwentieth) {
  BusyCores cores;
  cores.observe(0, 0);
  EXPECT_FALSE(cores.observe(2 * kMillisecond, 50 * kMillisecond));
  EXPECT_TRUE(cores.observe(5 * kMillisecond, 100 * kMillisecond));
}

TEST(BusyCores, StayBusyUntilTenCalmIntervalsInARow) {
  BusyCores cores;
  cores.observe(0, 0);
  int64_t now = 50 * kMillisecond;
  int64_t waited = 30 * kMillisecond;
  EXPECT_TRUE(cores.observe(waited, now));
  const auto calm = [&] { return cores.observe(waited, now += 50 * kMillisecond); };
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(calm());
  // A fiftieth of an interval: too little to begin with, too much to end.
  EXPECT_TRUE(cores.observe(waited += kMillisecond, now += 50 * kMillisecond));
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(calm());
  EXPECT_FALSE(calm());
}

TEST(BusyCores, AreNotBusyWhenAThreadEndsAndTakesItsTimeAlong) {
  BusyCores cores;
  cores.observe(900 * kMillisecond, 0);
  EXPECT_FALSE(cores.observe(100 * kMillisecond, 50 * kMillisecond));
}

/// In programs started anew: libgomp's threads do not survive a fork.
class ShareBusyCoresDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void TearDown() override { GTEST_FLAG_SET(death_test_style, "fast"); }
};

TEST_F(ShareBusyCoresDeathTest, LeavesTheUsersChoiceAlone) {
  for (const char* name : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}) {
    const auto ask = [name] {
      unsetenv("GOMP_SPINCOUNT");
      unsetenv("OMP_WAIT_POLICY");
      setenv(name, "passive", 1);
      std::_Exit(share_busy_cores() ? 1 : 0);
    };
    EXPECT_EXIT(ask(), ::testing::ExitedWithCode(0), "") << name;
  }
}

TEST_F(ShareBusyCoresDeathTest, TakesNoThreadsWhereFewAreAllowed) {
  const auto ask = [] {
    unsetenv("GOMP_SPINCOUNT");
    unsetenv("OMP_WAIT_POLICY");
    const rlimit few{1000, 1000};
    setrlimit(RLIMIT_NPROC, &few);
    std::_Exit(share_busy_cores() ? 1 : 0);
  };
  EXPECT_EXIT(ask(), ::testing::ExitedWithCode(0), "");
}

/// Processes that want every core, until the end of the block.
class Crowded {
 public:
  explicit Crowded(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when the parent dies without a word
        for (;;) std::atomic_signal_fence(std::memory_order_seq_cst);
      }
      children_.push_back(child);
    }
  }
  ~Crowded() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> children_;
};

/// Parallel regions until `done` or a minute is over; whether it was done.
template <class Done>
bool work_until(Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done() && std::chrono::steady_clock::now() < end) {
#pragma omp parallel num_threads(2)
    for (int n = 0; n < 100'000; ++n) std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  return done();
}

int64_t own_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST_F(ShareBusyCoresDeathTest, SleepsWhileOtherProcessesWantTheCores) {
  if (omp_get_thread_limit() < omp_get_num_procs()) GTEST_SKIP() << "OMP_THREAD_LIMIT allows no team that spins";
  const auto work = [] {
    unsetenv("GOMP_SPINCOUNT");
    unsetenv("OMP_WAIT_POLICY");
    const int64_t bare = own_threads();
    if (!share_busy_cores()) std::_Exit(77);
    bool slept = false;
    {
      const Crowded others(2 * omp_get_num_procs());
      // More than the one that watches and the second of the team are the crowd that makes the team sleep; where the
      // machine was busy before, it may be there at once.
      slept = work_until([&] { return own_threads() > bare + 2; });
    }
    std::_Exit(slept ? 0 : 1);
  };
  EXPECT_EXIT(
      work(), [](int status) { return WIFEXITED(status) && WEXITSTATUS(status) % 77 == 0; }, "");
}

}  // namespace
}  // namespace sextant
