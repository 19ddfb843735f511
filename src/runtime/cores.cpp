#include "internal/runtime/cores.h"

#include <omp.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>

namespace sextant {
namespace {

/// Nanoseconds that the threads of this process could have run and had no core; nothing where the kernel keeps no
/// count.
std::optional<int64_t> time_in_line() {
  std::error_code unknown;
  std::optional<int64_t> sum;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", unknown)) {
    std::ifstream file(task.path() / "schedstat");
    int64_t ran = 0;
    int64_t waited = 0;
    if (file >> ran >> waited) sum = sum.value_or(0) + waited;
  }
  return sum;
}

/// A team of threads that do nothing. libgomp spins for the hundredth part of a millisecond only "when there are more
/// managed threads than available CPUs" (its manual, GOMP_SPINCOUNT), and looks at that whenever a thread waits: with
/// this team there are, and without it there are not.
class Crowd {
 public:
  Crowd()
      : owner_([this] {
#pragma omp parallel num_threads(omp_get_num_procs())
          std::atomic_signal_fence(std::memory_order_seq_cst);  // or the compiler would drop an empty region
          // A team lives as long as the thread that it was made for.
          leave_.acquire();
        }) {
  }
  ~Crowd() {
    leave_.release();
    owner_.join();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  std::binary_semaphore leave_{0};
  std::thread owner_;
};

/// Whether there is room for a crowd: where libgomp may start no more threads, it ends the process.
bool has_room() {
  constexpr int64_t kRoom = 4096;
  rlimit limit{};
  if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < kRoom) return false;
  std::ifstream file("/sys/fs/cgroup/pids.max");
  int64_t most = 0;
  return !(file >> most) || most >= kRoom;  // "max", or no such limit
}

/// It helps, and the run is worth more: where a thread or memory is refused, nobody watches.
void watch() try {
  BusyCores cores;
  std::unique_ptr<Crowd> crowd;
  while (const std::optional<int64_t> waited = time_in_line()) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const bool busy = cores.observe(*waited, std::chrono::nanoseconds(now).count());
    if (busy && !crowd) crowd = std::make_unique<Crowd>();
    if (!busy) crowd.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
} catch (const std::exception&) {
}

}  // namespace

bool BusyCores::observe(int64_t waited, int64_t now) {
  const bool first = waited_ < 0;
  // A thread that has ended takes its time along.
  const int64_t in_line = std::max<int64_t>(0, waited - waited_);
  const int64_t interval = now - now_;
  waited_ = waited;
  now_ = now;
  if (first) return false;
  if (in_line * 20 > interval) {
    busy_ = true;
    calm_ = 0;
  } else if (in_line * 100 < interval && ++calm_ >= 10) {
    busy_ = false;
  } else if (in_line * 100 >= interval) {
    calm_ = 0;
  }
  return busy_;
}

bool share_busy_cores() {
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY") || !has_room() || !time_in_line()) return false;
  // Signals are for the threads that work.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool watched = true;
  try {
    std::thread(watch).detach();
  } catch (const std::exception&) {
    watched = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return watched;
}

}  // namespace sextant
