#include "cli/program.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "drawing/store.h"
#include "internal/runtime/files.h"
#include "preloaded/request.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {

namespace fs = std::filesystem;

namespace {

/// The preloaded program, one for all tests of this process.
class Preloaded {
 public:
  Preloaded() {
    int ends[2];
    // What it starts loses its parent at once: this process takes it.
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      dup2(ends[1], STDIN_FILENO);
      execl(SEXTANT_PRELOADED, SEXTANT_PRELOADED, nullptr);
      _exit(127);
    }
    close(ends[1]);
    socket_ = ends[0];
  }
  ~Preloaded() {
    close(socket_);
    waitpid(process_, nullptr, 0);
  }
  Preloaded(const Preloaded&) = delete;
  Preloaded& operator=(const Preloaded&) = delete;

  pid_t start(const Request& request) const {
    pid_t process = -1;
    if (!send(socket_, request) || !receive_all(socket_, &process, sizeof process) || process < 0) {
      throw std::runtime_error("cannot start " SEXTANT_PRELOADED);
    }
    return process;
  }

 private:
  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace

Program::Program(const std::vector<std::string>& words, std::size_t file_limit) {
  static const Preloaded preloaded;
  Request request;
  request.folder = fs::current_path();
  request.out = folder_ / "out";
  request.err = folder_ / "err";
  if (file_limit > 0) request.file_limit = file_limit;
  request.words = {"sextant"};
  request.words.insert(request.words.end(), words.begin(), words.end());
  for (char** variable = environ; *variable != nullptr; ++variable) request.environment.emplace_back(*variable);
  process_ = preloaded.start(request);
}

void Program::signal(int number) const { kill(process_, number); }

bool Program::runs() const {
  siginfo_t ended{};
  return waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

Rank::Rank(int rank, int size) {
  setenv("RANK", std::to_string(rank).c_str(), 1);
  setenv("WORLD_SIZE", std::to_string(size).c_str(), 1);
  setenv("LOCAL_RANK", std::to_string(rank).c_str(), 1);
  setenv("LOCAL_WORLD_SIZE", std::to_string(size).c_str(), 1);
}

Rank::~Rank() {
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"}) unsetenv(name);
}

Program::~Program() {
  if (ended_) return;
  signal(SIGKILL);
  waitpid(process_, nullptr, 0);
}

Outcome Program::finish() {
  constexpr std::chrono::minutes kLongest(10);
  const auto until = std::chrono::steady_clock::now() + kLongest;
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(process_, &status, WNOHANG)) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "a command did not end within " << kLongest.count() << " minutes";
      signal(SIGKILL);
      ended = waitpid(process_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ended_ = true;
  if (ended < 0) {
    ADD_FAILURE() << "nobody knows how a command ended: " << std::strerror(errno);
    return {};
  }
  const int by_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = by_signal == 0 ? WEXITSTATUS(status) : 128 + by_signal;
  // A process that was killed at once had no time to open them.
  const auto printed = [&](const char* name) { return fs::exists(folder_ / name) ? read_file(folder_ / name) : ""; };
  return {code, printed("out"), printed("err"), by_signal};
}

Outcome sextant(const std::vector<std::string>& words) { return Program(words).finish(); }

std::string bundled(const std::string& model) { return sextant::testing::source_dir() / "models" / model; }

std::vector<std::string> small_run(const fs::path& out, const std::vector<std::string>& more) {
  std::vector<std::string> words = {
      "sample",  "--model", bundled("mnist-adm"), "--labels", "0-9",   "--count",   "6", "--batch", "3",
      "--steps", "4",       "--threads",          "1",        "--out", out.string()};
  // A classifier named again would make an ensemble of two.
  if (std::find(more.begin(), more.end(), "--classifier") == more.end()) {
    words.insert(words.end(), {"--classifier", bundled("mnist-classifier")});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

bool wait_for_first_batch(const fs::path& out) {
  for (int i = 0; i < 6000; ++i) {
    if (commands::SampleStore::stored_identity(out / "samples.partial").is_object()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

Tensor array_of(const fs::path& out, const std::string& name) {
  return checkpoint::load_npz(out / "samples.npz").at(name);
}

}  // namespace sextant::cli::testing
