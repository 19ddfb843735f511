// One OpenMP runtime in the process, ours and libtorch's: PyTorch from pip brings its own, beside the compiler's.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <omp.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant {
namespace {

/// How many threads a region of this program's own has.
int threads_of_own_region() {
  int count = 0;
#pragma omp parallel
#pragma omp single
  count = omp_get_num_threads();
  return count;
}

/// How many threads share a loop that libtorch divides.
size_t threads_of_parallel_for() {
  std::set<std::thread::id> threads;
  std::mutex mutex;
  at::parallel_for(0, 64, 1, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads.size();
}

TEST(OpenMp, HasOneRuntimeInTheProcess) {
  threads_of_own_region();
  threads_of_parallel_for();
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  ASSERT_TRUE(maps);
  const std::regex runtime("/lib(gomp|iomp5|omp)[-.][^/]*$");
  for (std::string line; std::getline(maps, line);) {
    if (std::regex_search(line, runtime)) runtimes.insert(line.substr(line.find('/')));
  }
  EXPECT_EQ(runtimes.size(), 1U) << ::testing::PrintToString(runtimes);
}

TEST(OpenMp, HasAsManyThreadsAsAreSetInLibtorchsRegionsAndOurs) {
  if (omp_get_thread_limit() < 3) GTEST_SKIP() << "OMP_THREAD_LIMIT allows fewer";
  const int before = threads();
  for (const int count : {1, 3, 2}) {
    set_threads(count);
    EXPECT_EQ(threads_of_own_region(), count);
    EXPECT_EQ(threads_of_parallel_for(), static_cast<size_t>(count));
  }
  set_threads(before);
  at::globalContext().setFlushDenormal(false);  // set_threads turned it on; other tests count on small numbers
}

/// In a program started anew, since OpenMP reads its variables at its start: the weights' gradient of a convolution is
/// where oneDNN's threads wait for each other.
TEST(OpenMpDeathTest, HasAsManyThreadsAsItMayHaveAndNeverFewer) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  struct Case {
    const char *variable, *value;
    int asked, given;
  };
  for (const Case& c : {Case{"OMP_THREAD_LIMIT", "1", 2, 1},
                        {"OMP_THREAD_LIMIT", "2", 3, 2},
                        {"OMP_THREAD_LIMIT", "2", 0, std::min(2, omp_get_num_procs())},
                        {"OMP_DYNAMIC", "true", 2, 2},
                        {"OMP_MAX_ACTIVE_LEVELS", "0", 2, 2}}) {
    const auto train = [&c] {
      set_threads(c.asked);
      if (threads() != c.given || threads_of_own_region() != c.given) std::_Exit(1);
      const Tensor weight = at::randn({4, 3, 3, 3}).requires_grad_();
      const Tensor y = at::conv2d(at::randn({2, 3, 8, 8}), weight, {}, 1, 1);
      alarm(60);
      torch::autograd::grad({y.sum()}, {weight});
      std::_Exit(0);
    };
    setenv(c.variable, c.value, /*overwrite=*/1);
    EXPECT_EXIT(train(), ::testing::ExitedWithCode(0), "") << c.variable << "=" << c.value;
    unsetenv(c.variable);
  }
  GTEST_FLAG_SET(death_test_style, "fast");
}

TEST(Threads, AreAsManyAsAProcessorMayHave) {
  EXPECT_THROW(set_threads(-1), UsageError);
  EXPECT_THROW(set_threads(4097), UsageError);
}

TEST(OpenBlas, HasAsManyThreadsAsAreSet) {
  void* const number = dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
  if (number == nullptr) GTEST_SKIP() << "libtorch multiplies with something else";
  const int before = threads();
  for (const int count : {1, 3, 2, before}) {
    set_threads(count);
    EXPECT_EQ(reinterpret_cast<int (*)()>(number)(), std::min(count, omp_get_thread_limit()));
  }
  at::globalContext().setFlushDenormal(false);  // as above
}

}  // namespace
}  // namespace sextant
