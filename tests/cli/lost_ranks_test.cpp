// Processes of one job of which one is killed, stalls, is stopped or does not come.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "cli/job_fixture.h"

namespace sextant::cli::testing {
namespace {

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

/// What was said beside the lines of training's steps.
std::string without_steps(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("step ", 0) != 0) rest += line + "\n";
  }
  return rest;
}

/// A peer of the processes' store that sends the first byte of a message and then nothing, as one that is stopped
/// there.
class StalledPeer {
 public:
  explicit StalledPeer(const std::string& port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
    sent_ =
        connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && send(socket_, "", 1, 0) == 1;
  }
  ~StalledPeer() { close(socket_); }
  StalledPeer(const StalledPeer&) = delete;
  StalledPeer& operator=(const StalledPeer&) = delete;
  bool sent() const { return sent_; }

 private:
  int socket_;
  bool sent_ = false;
};

class LostRank : public SharedTraining {
 protected:
  /// The second of two processes is stopped for good.
  static void expect_named_as_stalled(const Processes& processes) {
    const Outcome outcome = processes[0]->finish();
    processes[1]->signal(SIGKILL);
    processes[1]->finish();
    EXPECT_EQ(outcome.exit_code, 1);
    const std::string said = without_steps(outcome.err);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_EQ(said.rfind("sextant train: rank 1 on " + host() + ", step ", 0), 0u) << said;
    EXPECT_NE(said.find("kept the others waiting for more than 3 s"), std::string::npos) << said;
  }
};

TEST_F(LostRank, AKilledRankEndsTheJobInOneLineThatNamesIt) {
  const auto processes = job(2, denoiser("killed", {"--steps", "100000", "--quiet"}));
  ASSERT_TRUE(under_way("killed"));
  processes[1]->signal(SIGKILL);
  EXPECT_EQ(processes[1]->finish().exit_code, 128 + SIGKILL);
  const Outcome outcome = processes[0]->finish();
  EXPECT_EQ(outcome.exit_code, 1);
  const std::string said = without_steps(outcome.err);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(said.rfind("sextant train: rank 1 on " + host() + ", step ", 0), 0u) << said;
  EXPECT_NE(outcome.err.find(", is gone; this ends the job, what is saved is kept"), std::string::npos) << outcome.err;
}

TEST_F(LostRank, AStalledRankIsNamedAfterTheTimeOut) {
  const auto processes = job(2, denoiser("stalled", {"--steps", "100000", "--quiet"}), "3");
  ASSERT_TRUE(under_way("stalled"));
  processes[1]->signal(SIGSTOP);
  expect_named_as_stalled(processes);
}

TEST_F(LostRank, IsNamedEvenWhereItStalledInTheMiddleOfAMessage) {
  const std::string port = sextant::testing::free_port();
  const auto processes = job(2, denoiser("silent", {"--steps", "100000", "--quiet"}), "3", port);
  ASSERT_TRUE(under_way("silent"));
  const StalledPeer peer(port);
  ASSERT_TRUE(peer.sent());
  processes[1]->signal(SIGSTOP);
  expect_named_as_stalled(processes);
}

TEST_F(LostRank, AStopOfOneRankStopsAllAndSaves) {
  const auto processes = job(2, denoiser("stopped", {"--steps", "100000", "--quiet"}));
  ASSERT_TRUE(under_way("stopped"));
  processes[1]->signal(SIGINT);
  EXPECT_EQ(processes[1]->finish().exit_code, 130);
  const Outcome first = processes[0]->finish();
  EXPECT_EQ(without_steps(first.err), "");
  EXPECT_FALSE(fs::is_empty(folder_ / "stopped/checkpoints"));
}

TEST_F(LostRank, ARankThatDoesNotComeIsNamed) {
  const Rank environment(0, 2);
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  const std::string port = sextant::testing::free_port();
  setenv("MASTER_PORT", port.c_str(), 1);
  setenv("SEXTANT_TIMEOUT", "1", 1);
  const Outcome outcome = sextant(denoiser("o"));
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT", "SEXTANT_TIMEOUT"}) unsetenv(name);
  EXPECT_EQ(outcome.exit_code, 1);
  // The sockets of libtorch 2 print warnings of their own before.
  EXPECT_TRUE(outcome.err.ends_with("sextant train: of the 2 processes, rank 1 did not come to 127.0.0.1:" + port +
                                    " within 1 s (SEXTANT_TIMEOUT)\n"))
      << outcome.err;
}

}  // namespace
}  // namespace sextant::cli::testing
