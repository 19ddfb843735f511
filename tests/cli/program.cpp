#include "cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "drawing/store.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::cli::testing {

namespace fs = std::filesystem;

Program::Program(const std::vector<std::string>& words, std::size_t file_limit) {
  std::vector<std::string> all = {SEXTANT_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : all) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string out = folder_ / "out";
  const std::string err = folder_ / "err";
  process_ = fork();
  if (process_ == 0) {
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    const rlimit limit{file_limit, file_limit};
    if (file_limit > 0) setrlimit(RLIMIT_FSIZE, &limit);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
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

Outcome Program::finish() {
  constexpr std::chrono::minutes kLongest(10);
  const auto until = std::chrono::steady_clock::now() + kLongest;
  int status = 0;
  while (waitpid(process_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "a command did not end within " << kLongest.count() << " minutes";
      signal(SIGKILL);
      waitpid(process_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // A process that was killed at once had no time to open them.
  const auto printed = [&](const char* name) { return fs::exists(folder_ / name) ? read_file(folder_ / name) : ""; };
  return {code, printed("out"), printed("err")};
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
