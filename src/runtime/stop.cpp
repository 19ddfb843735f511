#include <unistd.h>

#include <csignal>

#include "sextant/runtime/progress.h"

namespace sextant {
namespace {

std::atomic<Stop*> watched{nullptr};
struct sigaction former_interrupt, former_terminate;

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
  sigaction(SIGINT, &action, &former_interrupt);
  sigaction(SIGTERM, &action, &former_terminate);
}

StopOnSignals::~StopOnSignals() {
  sigaction(SIGINT, &former_interrupt, nullptr);
  sigaction(SIGTERM, &former_terminate, nullptr);
  watched.store(nullptr);
}

}  // namespace sextant
