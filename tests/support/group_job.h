// Processes of a test that compute together.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "internal/distributed/device_group.h"
#include "internal/distributed/group.h"
#include "support/golden.h"
#include "support/ports.h"

namespace sextant::testing {

inline distributed::World world(int64_t rank, int64_t size) { return {rank, size, rank, size, "torchrun"}; }

inline std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

/// The sanitizer takes a thread that a forked process starts for one of its parent's, and ends that process.
constexpr bool kForksMayStartThreads =
#ifdef __SANITIZE_THREAD__
    false;
#else
    true;
#endif

/// A group of `size` processes: each runs `work` and leaves a line of what it says or throws.
class GroupJob {
 public:
  using Variables = std::map<std::string, std::string>;
  using Work = std::string (*)(distributed::Group& group);

  GroupJob(int64_t size, Work work, Variables more = {},
           const distributed::DeviceBackend& cards = distributed::nccl()) {
    more.insert({{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", free_port()}, {"SEXTANT_TIMEOUT", "60"}});
    for (int64_t rank = 0; rank < size; ++rank) {
      const pid_t child = fork();
      if (child == 0) {
        std::string line;
        try {
          const auto variable = [&more](const std::string& name) -> std::optional<std::string> {
            return more.count(name) ? std::optional(more.at(name)) : std::nullopt;
          };
          distributed::Group group(world(rank, size), variable, cards);
          line = work(group);
        } catch (const Error& error) {
          line = error.what();
        }
        std::ofstream(file(rank)) << line;
        _exit(0);
      }
      children_.push_back(child);
    }
  }
  ~GroupJob() {
    for (const pid_t child : children_) {
      if (child <= 0) continue;  // has ended
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }

  /// What a process says, once it has ended.
  std::string line(int64_t rank) {
    pid_t& child = children_.at(static_cast<std::size_t>(rank));
    waitpid(child, nullptr, 0);
    child = 0;
    std::ifstream in(file(rank));
    std::string text;
    std::getline(in, text);
    return text;
  }

 private:
  std::string file(int64_t rank) const { return (folder_.path() / std::to_string(rank)).string(); }

  TemporaryFolder folder_;
  std::vector<pid_t> children_;
};

/// Plays the part of a card's group on the CPU: another group of the same processes, at another port. `file` gets a
/// letter for each sum that is begun and each close.
inline distributed::DeviceBackend stand_in_for_cards(const std::filesystem::path& file) {
  const std::string port = free_port();
  const auto open = [file, port](const auto&, const distributed::World& world, std::chrono::milliseconds timeout,
                                 at::Device) -> distributed::DeviceGroup {
    const auto variable = [port, timeout](const std::string& name) -> std::optional<std::string> {
      if (name == "MASTER_ADDR") return "127.0.0.1";
      if (name == "MASTER_PORT") return port;
      if (name == "SEXTANT_TIMEOUT") return std::to_string(timeout.count() / 1000);
      return std::nullopt;
    };
    const auto note = [path = file.string() + std::to_string(world.rank)](char letter) {
      std::ofstream(path, std::ios::app) << letter;
    };
    const auto group = std::make_shared<distributed::Group>(world, variable);
    const auto begin = [group, note](const Tensor& x) -> distributed::DeviceSum {
      note('s');
      return {[] { return true; }, group->begin_sum(x)};
    };
    return {begin, [note](bool failed) { note(failed ? 'f' : 'c'); }};
  };
  return {"stand-in", at::kCPU, "", open};
}

/// What a process of that job left in `file`.
inline std::string noted(const std::filesystem::path& file, int64_t rank) {
  std::ifstream in(file.string() + std::to_string(rank));
  std::string letters;
  in >> letters;
  return letters;
}

}  // namespace sextant::testing
