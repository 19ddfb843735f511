#include "internal/distributed/claims.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "support/golden.h"

namespace sextant::distributed {
namespace {

namespace fs = std::filesystem;

constexpr double kLong = 600;

class ClaimsTest : public ::testing::Test {
 protected:
  /// A process of its own that takes `unit` and then sleeps.
  pid_t child_that_takes(int64_t unit, double lease) const {
    const pid_t child = fork();
    if (child == 0) {
      Claims claims(folder_, lease);
      const bool taken = claims.take(unit);
      while (taken) pause();
      _exit(1);
    }
    while (!fs::exists(folder_ / (std::to_string(unit) + ".claim"))) usleep(1000);
    return child;
  }

  static void end(pid_t child, int signal) {
    kill(child, signal);
    waitpid(child, nullptr, 0);
  }

  testing::TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path();
};

TEST_F(ClaimsTest, OneOfTwoGetsAUnitAndTheOtherAfterItsRelease) {
  Claims first(folder_, kLong);
  Claims second(folder_, kLong);
  EXPECT_TRUE(first.take(7));
  EXPECT_FALSE(second.take(7));
  EXPECT_TRUE(second.take(8));
  first.release();
  EXPECT_TRUE(second.take(7));
  EXPECT_FALSE(fs::exists(second.file(8))) << "a claim holds one unit at a time";
}

TEST_F(ClaimsTest, NameTheHolder) {
  Claims claims(folder_, kLong);
  ASSERT_TRUE(claims.take(1));
  std::ifstream text(claims.file(1));
  std::string host, boot, space, process;
  text >> host >> boot >> space >> process;
  EXPECT_EQ(process, std::to_string(getpid()));
}

TEST_F(ClaimsTest, OfAKilledProcessOfThisMachineAreFreeAtOnce) {
  const pid_t child = child_that_takes(3, kLong);
  Claims claims(folder_, kLong);
  EXPECT_FALSE(claims.take(3)) << "it lives";
  end(child, SIGKILL);
  EXPECT_FALSE(claims.held(3));
  EXPECT_TRUE(claims.take(3));
}

TEST_F(ClaimsTest, OfAStalledProcessExpireAfterALeaseAndNotBefore) {
  const pid_t child = child_that_takes(4, 0.4);
  kill(child, SIGSTOP);
  Claims claims(folder_, 0.4);
  EXPECT_FALSE(claims.take(4));
  usleep(100'000);
  EXPECT_FALSE(claims.take(4));
  usleep(500'000);
  EXPECT_TRUE(claims.take(4));
  end(child, SIGKILL);
}

TEST_F(ClaimsTest, AreRenewedWhileTheirOwnerWorks) {
  const pid_t child = child_that_takes(5, 0.4);
  Claims claims(folder_, 0.4);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(claims.take(5));
    usleep(100'000);
  }
  end(child, SIGKILL);
}

TEST_F(ClaimsTest, OfAnotherMachineAreLeftToTheirLeaseWhateverTheClocksSay) {
  std::ofstream(folder_ / "6.claim") << "elsewhere boot pid:[1] 1 1";
  fs::last_write_time(folder_ / "6.claim", fs::file_time_type::clock::now() - std::chrono::hours(24));
  Claims claims(folder_, 0.3);
  EXPECT_FALSE(claims.take(6)) << "yesterday by another machine's clock is no proof of death";
  usleep(400'000);
  EXPECT_TRUE(claims.take(6));
}

TEST_F(ClaimsTest, ThatWereTakenOverAreNotGivenBackByTheirFormerOwner) {
  Claims claims(folder_, kLong);
  ASSERT_TRUE(claims.take(9));
  std::ofstream(folder_ / "9.claim") << "elsewhere boot pid:[1] 1 1";
  claims.release();
  EXPECT_TRUE(fs::exists(folder_ / "9.claim"));
}

}  // namespace
}  // namespace sextant::distributed
