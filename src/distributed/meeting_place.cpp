#include "meeting_place.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "sextant/runtime/error.h"

namespace sextant::distributed {
namespace {

using std::chrono::steady_clock;
using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

class Socket {
 public:
  explicit Socket(const addrinfo& of) : number_(socket(of.ai_family, of.ai_socktype | SOCK_CLOEXEC, of.ai_protocol)) {}
  ~Socket() {
    if (number_ >= 0) close(number_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool opened() const { return number_ >= 0; }
  bool binds(const addrinfo& to) const {
    const int yes = 1;
    setsockopt(number_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return bind(number_, to.ai_addr, to.ai_addrlen) == 0;
  }
  /// Waits at most some seconds where the other side does not even refuse.
  bool connects(const addrinfo& to, int64_t seconds) const {
    const timeval longest{seconds, 0};
    setsockopt(number_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    return connect(number_, to.ai_addr, to.ai_addrlen) == 0 && !meets_itself();
  }

 private:
  /// A port among those that the system gives to callers may be the caller's own.
  bool meets_itself() const {
    sockaddr_storage own{}, other{};
    socklen_t own_size = sizeof own, other_size = sizeof other;
    return getsockname(number_, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
           getpeername(number_, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 && own_size == other_size &&
           std::memcmp(&own, &other, own_size) == 0;
  }

  int number_;
};

Addresses addresses(const char* host, uint16_t port, int flags, int& problem) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  problem = getaddrinfo(host, std::to_string(port).c_str(), &wanted, &found);
  return {problem == 0 ? found : nullptr, [](addrinfo* list) {
            if (list != nullptr) freeaddrinfo(list);
          }};
}

void check_port(uint16_t port) {
  int problem = 0;
  const Addresses own = addresses(nullptr, port, AI_PASSIVE, problem);
  std::string reason;
  for (const addrinfo* one = own.get(); one != nullptr; one = one->ai_next) {
    const Socket probe(*one);
    if (!probe.opened()) continue;  // a machine without IPv6
    if (probe.binds(*one)) return;
    reason = std::strerror(errno);
  }
  if (reason.empty()) return;  // libtorch says what it finds
  throw Error("the processes cannot meet at port " + std::to_string(port) + " of this machine, which rank 0 serves: " +
              reason + "; end what uses it, or choose another port for all");
}

}  // namespace

void await_meeting_place(const std::string& host, uint16_t port, bool serves, int64_t timeout) {
  constexpr int64_t kForAName = 60;
  constexpr std::chrono::milliseconds kBetween(200);
  if (serves) check_port(port);
  const std::string place = host + ":" + std::to_string(port);
  const auto begin = steady_clock::now();
  const auto over = [&](int64_t seconds) { return steady_clock::now() - begin >= std::chrono::seconds(seconds); };
  while (true) {
    int problem = 0;
    const Addresses theirs = addresses(host.c_str(), port, 0, problem);
    if (problem != 0 && over(std::min(timeout, kForAName))) {
      throw Error("the processes cannot meet at " + place + ": no host of this name is known here (" +
                  gai_strerror(problem) + ")");
    }
    if (problem == 0 && serves) return;
    for (const addrinfo* one = theirs.get(); one != nullptr; one = one->ai_next) {
      const Socket probe(*one);
      if (probe.opened() && probe.connects(*one, timeout)) return;
    }
    if (problem == 0 && over(timeout)) {
      throw Error("nobody serves " + place + ", where the processes meet: rank 0 did not come within " +
                  std::to_string(timeout) + " s (SEXTANT_TIMEOUT)");
    }
    std::this_thread::sleep_for(kBetween);
  }
}

}  // namespace sextant::distributed
