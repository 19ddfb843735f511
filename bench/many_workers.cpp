// A thousand workers on one machine: processes that claim batches of one run as those of a job do, and sleep where they
// would draw. Prints how fast batches were claimed and what putting the run together took.
//
//   many_workers FOLDER [WORKERS] [BATCHES] [SECONDS]
//
// FOLDER is made and removed; SECONDS is what a batch takes. Exits with 1 unless every batch was drawn and the result
// holds each sample in its place.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "drawing/identity.h"
#include "sample/share.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/progress.h"

namespace {

namespace fs = std::filesystem;
using namespace sextant;
using namespace sextant::commands;

/// What all processes write to.
struct Shared {
  std::atomic<int64_t> drawn;
  std::atomic<double> last;  ///< when the last batch was drawn
};

/// Points [1, 1]: sample i is the number i.
Batch number(const std::vector<int64_t>& samples) {
  const auto n = static_cast<int64_t>(samples.size());
  Batch batch{at::tensor(samples, at::kLong).to(at::kFloat).view({n, 1}), {}, at::empty({n, 0, 1}, at::kDouble)};
  for (const int64_t sample : samples) batch.records.push_back({sample % 10, 0, 0, 0, 0});
  return batch;
}

int work(const SampleConfig& config, const nlohmann::json& settings, const Share& share, double seconds,
         Shared& shared) {
  try {
    const SampleFolder folder(config.run.out, identity_of(config), config.sample.count, false);
    const auto open = [&] {
      const auto draw = [&](const std::vector<int64_t>& samples, const auto&) {
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        ++shared.drawn;
        shared.last = steady_seconds();
        return number(samples);
      };
      return Opened{draw, {{"model", "none"}}};
    };
    const std::unique_ptr<Progress> silent = make_progress(ProgressStyle::kQuiet, std::cerr);
    draw_share(config, settings, /*hashes=*/nlohmann::json::object(), share, folder, open, *silent, Stop());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "worker " << share.index << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto given = [&](int place, double otherwise) { return argc > place ? std::atof(argv[place]) : otherwise; };
  if (argc < 2) return std::cerr << "usage: many_workers FOLDER [WORKERS] [BATCHES] [SECONDS]\n", 2;
  const auto workers = static_cast<int64_t>(given(2, 1000));
  const auto batches = static_cast<int64_t>(given(3, 50'000));
  const double seconds = given(4, 1);
  SampleConfig config;
  config.model.path = "none";
  config.run.out = argv[1];
  config.sample.count = batches;
  config.sample.batch = 1;
  const nlohmann::json settings = OptionTable("sample", sample_options(config)).to_json();
  set_threads(1);
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& shared = *new (memory) Shared{};

  const double begin = steady_seconds();
  for (int64_t i = 0; i < workers; ++i) {
    if (fork() == 0) _exit(work(config, settings, {i, workers, true, false, 60}, seconds, shared));
  }
  int64_t failed = 0;
  for (int64_t i = 0; i < workers; ++i) {
    int status = 0;
    wait(&status);
    failed += status == 0 ? 0 : 1;
  }
  const double all = steady_seconds() - begin, drawing = shared.last - begin;

  const auto arrays = checkpoint::load_npz(fs::path(argv[1]) / "samples.npz");
  const Tensor wanted = at::arange(batches, at::kFloat).view({batches, 1});
  const bool whole = arrays.at("arr_0").equal(wanted);
  fs::remove_all(argv[1]);
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  std::printf(
      "%ld workers, %ld batches of %g s: %ld drawn in %.1f s, %.0f claims a second; then %.1f s until all "
      "ended\n",
      workers, batches, seconds, shared.drawn.load(), drawing, static_cast<double>(shared.drawn) / drawing,
      all - drawing);
  std::printf("processor time %.0f s in programs, %.0f s in the kernel; largest process %.0f MB\n",
              static_cast<double>(used.ru_utime.tv_sec), static_cast<double>(used.ru_stime.tv_sec),
              static_cast<double>(used.ru_maxrss) / 1024);
  std::printf("%s; %ld workers failed\n", whole ? "every sample is in its place" : "SAMPLES ARE MISSING", failed);
  return whole && failed == 0 ? 0 : 1;
}
