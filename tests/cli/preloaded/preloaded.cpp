// Starts commands of the program without the half second in which libtorch, before main, registers its operators: this
// process has been through that, and each command is a fork of it. Standard input is a socket of requests.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "request.h"

int sextant_main(int argc, char** argv);  // main of src/cli/main.cpp

namespace sextant::cli::testing {
namespace {

void open_as(int stream, const char* path, int flags) {
  if (dup2(open(path, flags, 0600), stream) != stream) _exit(126);
}

/// `parent` is about to end.
[[noreturn]] void run(Request& request, pid_t parent) {
  // Where the test is killed, so is the command.
  while (getppid() == parent) usleep(50);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  open_as(STDIN_FILENO, "/dev/null", O_RDONLY);
  open_as(STDOUT_FILENO, request.out.c_str(), O_WRONLY | O_CREAT);
  open_as(STDERR_FILENO, request.err.c_str(), O_WRONLY | O_CREAT);
  const rlimit limit{request.file_limit, request.file_limit};
  if (request.file_limit != RLIM_INFINITY) setrlimit(RLIMIT_FSIZE, &limit);
  if (chdir(request.folder.c_str()) != 0) _exit(127);
  clearenv();
  for (std::string& variable : request.environment) putenv(variable.data());
  std::vector<char*> words;
  for (std::string& word : request.words) words.push_back(word.data());
  words.push_back(nullptr);
  const int code = sextant_main(static_cast<int>(request.words.size()), words.data());
#if defined(__SANITIZE_ADDRESS__)
  std::exit(code);  // which looks for leaks
#else
  // libtorch takes another tenth of a second to unregister its operators.
  std::cout.flush();
  std::fflush(nullptr);
  _exit(code);
#endif
}

/// The process that runs `request`. Its parent has ended, so the test, which takes orphans, can wait for it.
pid_t start(Request& request) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t self = getpid(), command = fork();
    if (command == 0) {
      close(ends[0]);
      close(ends[1]);
      run(request, self);
    }
    _exit(send_all(ends[1], &command, sizeof command) ? 0 : 1);
  }
  close(ends[1]);
  pid_t command = -1;
  receive_all(ends[0], &command, sizeof command);
  close(ends[0]);
  waitpid(parent, nullptr, 0);
  return command;
}

}  // namespace
}  // namespace sextant::cli::testing

int main() {
  using namespace sextant::cli::testing;
  Request request;
  while (receive(STDIN_FILENO, request)) {
    const pid_t command = start(request);
    if (!send_all(STDIN_FILENO, &command, sizeof command)) break;
  }
  return 0;
}
