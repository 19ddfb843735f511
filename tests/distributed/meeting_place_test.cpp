// Where processes of several machines meet: what keeps them apart is said at once, and by nobody but us.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "environment.h"
#include "internal/distributed/group.h"
#include "support/errors.h"
#include "support/ports.h"

namespace sextant::distributed {
namespace {

using sextant::testing::free_port;

/// Somebody else's server.
class Listener {
 public:
  explicit Listener(const std::string& port) : number_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
    EXPECT_EQ(bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(number_, 1), 0);
  }
  ~Listener() { close(number_); }

 private:
  int number_;
};

Variables at(const std::string& host, const std::string& port) {
  return {{"MASTER_ADDR", host}, {"MASTER_PORT", port}, {"SEXTANT_TIMEOUT", "1"}};
}

/// What a process is told that cannot join; libtorch adds nothing on the way.
std::string refusal(int64_t rank, int64_t size, const Variables& variables) {
  ::testing::internal::CaptureStderr();
  const std::string line = testing::message_of([&] { Group({rank, size, 0, 1, kByHand}, environment(variables)); });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  return line;
}

/// The first of three processes, while the others may come.
class First {
 public:
  explicit First(Variables variables) : process_(fork()) {
    if (process_ != 0) return;
    variables["SEXTANT_TIMEOUT"] = "60";
    try {
      Group({0, 3, 0, 1, kByHand}, environment(variables));
    } catch (const Error&) {
    }
    _exit(0);
  }
  ~First() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_;
};

TEST(MeetingPlace, OfWhichThePortIsTakenIsRefusedAtOnce) {
  const std::string port = free_port();
  const Listener other(port);
  EXPECT_EQ(refusal(0, 2, at("127.0.0.1", port)),
            "the processes cannot meet at port " + port +
                " of this machine, which rank 0 serves: Address already in use; end what uses it, or choose another "
                "port for all");
}

TEST(MeetingPlace, AtAHostThatNobodyKnowsIsRefused) {
  for (const int64_t rank : {0, 1}) {
    const std::string line = refusal(rank, 2, at("no-such-host.invalid", free_port()));
    EXPECT_NE(line.find("no host of this name is known here"), std::string::npos) << line;
  }
}

TEST(MeetingPlace, ThatNobodyServesIsSaidAfterTheTimeOut) {
  const std::string port = free_port();
  EXPECT_EQ(refusal(1, 2, at("127.0.0.1", port)),
            "nobody serves 127.0.0.1:" + port +
                ", where the processes meet: rank 0 did not come within 1 s (SEXTANT_TIMEOUT)");
}

TEST(MeetingPlace, TakesEachRankOnceAndOneNumberOfProcesses) {
  Variables place = at("127.0.0.1", free_port());
  const First first(place);
  place["SEXTANT_TIMEOUT"] = "20";
  EXPECT_EQ(refusal(1, 2, place),
            "rank 1 was started as one of 2 processes, rank 0 as one of 3: give all the same world-size");
  place["SEXTANT_TIMEOUT"] = "1";
  EXPECT_EQ(refusal(1, 3, place), "of the 3 processes, rank 2 did not come to 127.0.0.1:" + place["MASTER_PORT"] +
                                      " within 1 s (SEXTANT_TIMEOUT)");
  EXPECT_EQ(refusal(1, 3, place),
            "rank 1 came to 127.0.0.1:" + place["MASTER_PORT"] + " twice: give each process a rank of its own");
}

}  // namespace
}  // namespace sextant::distributed
