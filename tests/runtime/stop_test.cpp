#include <gtest/gtest.h>

#include <csignal>

#include "sextant/runtime/progress.h"

namespace sextant {
namespace {

TEST(Stop, IsRequestedByTheFirstSignal) {
  Stop stop;
  EXPECT_FALSE(stop.requested());
  EXPECT_EQ(stop.exit_code(), 0);
  {
    const StopOnSignals handlers(stop);
    std::raise(SIGTERM);
  }
  EXPECT_TRUE(stop.requested());
  EXPECT_EQ(stop.exit_code(), 143);
}

TEST(StopDeathTest, ComesAtOnceWithTheSecondSignal) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer puts the second signal off";
#endif
  Stop stop;
  const auto signal_twice = [&] {
    const StopOnSignals handlers(stop);
    std::raise(SIGINT);
    std::raise(SIGINT);
  };
  EXPECT_EXIT(signal_twice(), ::testing::ExitedWithCode(130), "once more stops at once");
}

}  // namespace
}  // namespace sextant
