#include "sample/share.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "drawing/identity.h"
#include "drawing/store.h"
#include "internal/checkpoint/file.h"
#include "internal/distributed/claims.h"
#include "internal/distributed/world.h"
#include "internal/runtime/sentence.h"
#include "internal/runtime/text.h"
#include "sample/assemble.h"
#include "sample/burst.h"
#include "sample/results.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using distributed::Claims;
using distributed::World;
using nlohmann::json;

namespace {

World world() { return distributed::world_of(distributed::process_environment()); }

bool read_number(std::string_view text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Of `seconds`, in pieces short enough to hear a stop.
void wait(double seconds, const Stop& stop) {
  const double until = steady_seconds() + seconds;
  while (!stop.requested() && steady_seconds() < until) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

/// NumericError where all batches that are missing burst in other processes.
void check_none_is_given_up(const BatchFiles& files) {
  const BatchRanges missing = files.missing();
  if (missing.empty() || !files.left().empty()) return;
  throw NumericError("batches " + missing.first_few() + " in " + files.folder().string() +
                     " burst, as the processes that tried them said; " + std::to_string(files.finished(missing)) +
                     " of " + std::to_string(files.count()) +
                     " images are kept. A process that is started again tries those of its share");
}

/// "share 2 of 8 on HOST, "
std::string who(const Share& share) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return "share " + std::to_string(share.index + 1) + " of " + std::to_string(share.shares) + " on " + host + ", ";
}

/// The work on one share.
class Worker {
 public:
  Worker(BatchFiles& files, const Share& share, const std::function<Opened()>& open, Progress& progress,
         const Stop& stop)
      : files_(files),
        share_(share),
        claims_(files.folder(), share.lease),
        open_(open),
        progress_(progress),
        stop_(stop) {}

  void run() {
    begin();
    files_.try_again(share_.index, share_.shares);
    BatchRanges left = files_.left();
    const auto try_each = [&](int64_t begin, int64_t end, int64_t first, int64_t step) {
      bool drew = false;
      left.each(begin, end, first, step, [&](int64_t batch) {
        drew = attempt(batch) || drew;
        return !stop_.requested() && !hopeless_;
      });
      return drew;
    };
    try_each(0, files_.size(), share_.index, share_.shares);
    // Many that wait for the last batches would keep a file server busy, and all at once.
    const double pause = std::clamp(static_cast<double>(share_.shares) / kAsksASecond, std::min(1.0, share_.lease / 8),
                                    share_.lease / 4) *
                         (0.5 + 0.5 * static_cast<double>(share_.index + 1) / static_cast<double>(share_.shares));
    while (!stop_.requested() && !hopeless_ && (share_.helps || others_work_here())) {
      left = files_.left(left);
      if (left.empty()) break;
      update();
      // Each begins elsewhere, so that they do not all ask for the same one.
      const int64_t middle = (share_.index * files_.size() + share_.shares - 1) / share_.shares;
      const bool drew_above = try_each(middle, files_.size(), 0, 1), drew_below = try_each(0, middle, 0, 1);
      const bool drew = drew_above || drew_below;
      if (!drew) wait(pause, stop_);
    }
    update();
    progress_.end();
  }

  const BurstBatches& burst() const { return burst_; }
  Claims& claims() { return claims_; }

 private:
  static constexpr double kAsksASecond = 32;  ///< of all processes that wait

  void begin() { progress_.begin("sample", static_cast<double>(files_.count()), finished(), "images"); }

  void update() { progress_.update(finished()); }

  /// Samples that are there, as the folder said lately: reading the names of tens of thousands of batches takes
  /// milliseconds, of which no more than a fiftieth of the time is spent.
  double finished() {
    constexpr double kTimes = 50;
    const double begin = steady_seconds();
    if (begin >= look_again_) {
      finished_ = static_cast<double>(files_.finished(files_.missing()));
      look_again_ = begin + kTimes * (steady_seconds() - begin);
    }
    return finished_;
  }

  /// Whether this process drew the batch just now.
  bool attempt(int64_t batch) {
    const auto settled = [&] { return files_.has(batch) || files_.given_up(batch); };
    if (stop_.requested() || settled() || !claims_.take(batch)) return false;
    const bool mine = !settled();
    const bool drew = mine && draw(batch);
    claims_.release();
    return drew;
  }

  /// False where it burst.
  bool draw(int64_t batch) {
    const std::string name = "batch " + std::to_string(batch);
    const std::vector<int64_t> samples = files_.samples(batch);
    const double before = finished();
    try {
      if (!opened_.draw) {
        opened_ = open_();
        files_.agree_on_weights(opened_.weights);
      }
      const Batch drawn = opened_.draw(
          samples, [&](double done) { progress_.update(before + done * static_cast<double>(samples.size())); });
      checkpoint::check_unchanged();
      // Whoever took this batch over, because this process was silent for a lease, may have ended the run since.
      if (fs::exists(files_.folder())) files_.put(batch, drawn);
      return true;
    } catch (const UsageError&) {
      throw;
    } catch (const NumericError& error) {
      progress_.note("note: " + who(share_) + name + " is left out: " + error.what());
      burst_.add(name, error.what());
      hopeless_ = burst_.hopeless(files_.size() - files_.missing().size());
      give_up(batch);
      return false;
    } catch (const Error& error) {
      throw Error(who(share_) + name + ": " + and_then(error.what(), "The other batches are kept"));
    }
  }

  /// Without the mark the others try the batch, too, which does no harm.
  void give_up(int64_t batch) {
    try {
      if (fs::exists(files_.folder())) files_.give_up(batch);
    } catch (const Error& error) {
      progress_.note(std::string("note: ") + error.what());
    }
  }

  /// A batch or a claim outside this share is somebody else's.
  bool others_work_here() const {
    if (!fs::exists(files_.folder())) return false;
    for (const fs::directory_entry& entry : fs::directory_iterator(files_.folder())) {
      int64_t batch = 0;
      const std::string stem = entry.path().stem();
      if (read_number(stem, batch) && batch < files_.size() && batch % share_.shares != share_.index) return true;
    }
    return false;
  }

  BatchFiles& files_;
  Share share_;
  Claims claims_;
  std::function<Opened()> open_;
  Opened opened_;
  BurstBatches burst_;
  bool hopeless_ = false;
  Progress& progress_;
  const Stop& stop_;
  double finished_ = 0;
  double look_again_ = 0;  ///< steady seconds
};

}  // namespace

Share share_of(const SampleConfig& config) {
  Share share;
  share.lease = config.share.lease;
  const std::string& shard = config.share.shard;
  if (!shard.empty()) {
    const std::size_t slash = shard.find('/');
    int64_t k = 0;
    const bool read = slash != std::string::npos && read_number(std::string_view(shard).substr(0, slash), k) &&
                      read_number(std::string_view(shard).substr(slash + 1), share.shares);
    constexpr int64_t kMost = 1'000'000;
    if (!read || k < 1 || k > share.shares || share.shares > kMost) {
      throw UsageError("--shard must be K/N with K from 1 to N, at most a million, such as 2/8, got '" + shard + "'");
    }
    share.index = k - 1;
  }
  const World here = world();
  if (here.size == 1 || config.run.alone) return share;
  if (!shard.empty()) {
    throw UsageError("--shard " + shard + " beside " + here.launcher + ", which deals the batches to " +
                     std::to_string(here.size) + " processes itself; leave out one of them");
  }
  return {here.rank, here.size, true, here.rank == 0, config.share.lease};
}

SampleResult draw_share(const SampleConfig& config, const json& settings, const json& hashes, const Share& share,
                        const SampleFolder& folder, const std::function<Opened()>& open, Progress& progress,
                        const Stop& stop) {
  const fs::path batches = folder.batches();
  BatchFiles files(batches, settings);
  // Whether the models have changed under a run that is to be written over is known when they are open.
  const FormerRun former = config.run.overwrite ? FormerRun() : former_run(folder);
  files.keep(former.images());
  if (const json unfinished = SampleStore::stored_identity(folder.partial());
      !config.run.overwrite && unfinished.is_object() &&
      unfinished.contains("weights")) {  // which those of assemble() have not
    progress.note("note: " + folder.partial().string() +
                  " holds images of one process, which shares draw again; to keep them, finish that run alone");
  }
  int64_t finished = 0;
  BurstBatches burst;
  {
    Worker worker(files, share, open, progress, stop);
    worker.run();
    burst = worker.burst();
    const BatchRanges missing = files.missing();
    finished = files.finished(missing);
    const int64_t assembly = files.size();  // the number after the last batch's
    while (missing.empty()) {
      if (worker.claims().take(assembly)) {
        const json record = assemble(config, settings, hashes, {files}, former, folder);
        remove_batches(batches);  // the claim with them
        worker.claims().release();
        return result_of(record, config.sample.count);
      }
      // Below a launcher the first process stays until the results are there: the job ends with it. Whoever puts them
      // together may be gone, so it asks again.
      if (!share.leads || stop.requested() || !fs::exists(batches)) break;
      wait(0.1, stop);
    }
  }
  if (!fs::exists(batches) && !fs::exists(folder.npz())) {
    throw Error(batches.string() + " was removed under the run, and its batches with it; start it again");
  }
  if (!stop.requested()) burst.raise(who(share), "The other batches are kept");
  SampleResult result;
  result.finished = finished;
  result.count = config.sample.count;
  if (share.leads && !stop.requested()) check_none_is_given_up(files);  // of a job's processes one speaks
  result.left_to_others = !stop.requested();
  return result;
}

}  // namespace sextant::commands
