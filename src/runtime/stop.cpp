#include <unistd.h>

#include <csignal>
#include <iterator>

#include "sextant/runtime/progress.h"

namespace sextant {
namespace {

std::atomic<Stop*> watched{nullptr};

/// What asks for an end: the user, the system, a terminal that closes, a batch system that is about to end the job.
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU};
struct sigaction former[std::size(kSignals)];
struct sigaction former_pipe;

void on_signal(int signal) {
  Stop* stop = watched.load();
  // Only what is safe in a handler: atomics, write, _exit.
  if (!stop || stop->requested()) _exit(128 + signal);
  stop->request(signal);
  constexpr char kLine[] = "\nstopping after the batch under way; once more stops at once\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kLine, sizeof kLine - 1);
}

}  // namespace

StopOnSignals::StopOnSignals(Stop& stop) {
  watched.store(&stop);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // a signal must not turn a read or write under way into an error
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], &action, &former[i]);
    // Started by nohup, a process has been told to outlive its terminal.
    const bool ignored = former[i].sa_handler == SIG_IGN && kSignals[i] != SIGINT && kSignals[i] != SIGTERM;
    if (ignored) sigaction(kSignals[i], &former[i], nullptr);
  }
  // Whoever read the progress may go; the run stays.
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &former_pipe);
}

StopOnSignals::~StopOnSignals() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &former[i], nullptr);
  sigaction(SIGPIPE, &former_pipe, nullptr);
  watched.store(nullptr);
}

}  // namespace sextant
