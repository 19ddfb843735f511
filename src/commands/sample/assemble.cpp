#include "sample/assemble.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "common/run_folder.h"
#include "drawing/identity.h"
#include "internal/distributed/claims.h"
#include "internal/runtime/text.h"
#include "sample/results.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Batches on their way into a store, many at a time: each time it waits for the disk.
class Pending {
 public:
  explicit Pending(SampleStore& store) : store_(store) {}

  void add(const std::vector<int64_t>& samples, Batch batch) {
    constexpr std::size_t kMany = 256;
    samples_.insert(samples_.end(), samples.begin(), samples.end());
    records_.insert(records_.end(), batch.records.begin(), batch.records.end());
    images_.push_back(std::move(batch.images));
    traces_.push_back(std::move(batch.traces));
    if (samples_.size() >= kMany) put();
  }

  void put() {
    if (samples_.empty()) return;
    store_.put(samples_, at::cat(images_), records_, at::cat(traces_));
    samples_.clear();
    records_.clear();
    images_.clear();
    traces_.clear();
  }

 private:
  SampleStore& store_;
  std::vector<int64_t> samples_;
  std::vector<SampleRecord> records_;
  std::vector<Tensor> images_, traces_;
};

/// Error with the first few that no folder has.
void check_none_is_missing(const std::vector<BatchFiles>& sources) {
  const BatchFiles& any = sources.front();
  BatchRanges missing = any.missing();
  for (const BatchFiles& files : sources) missing = missing.both(files.missing());
  if (missing.empty()) return;
  throw Error(std::to_string(missing.size()) + " of " + std::to_string(any.size()) +
              " batches are missing: " + missing.first_few() + "; start their tasks again");
}

/// That all batches were drawn with; null where nothing was drawn.
json common_weights(const std::vector<BatchFiles>& sources) {
  json weights;
  fs::path folder;
  for (const BatchFiles& files : sources) {
    const json here = files.weights();
    if (here.is_null()) continue;  // of a share that drew nothing
    if (!weights.is_null() && here != weights) {
      throw UsageError("the batches in " + folder.string() + " and in " + files.folder().string() +
                       " were drawn with different weights; draw one of the shares again");
    }
    weights = here;
    folder = files.folder();
  }
  return weights;
}

bool same_samples(const Batch& a, const Batch& b) {
  const auto same_label = [](const SampleRecord& x, const SampleRecord& y) { return x.label == y.label; };
  return a.images.equal(b.images) &&
         std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(), same_label);
}

/// From the first folder that has it. Error where another has it with other samples.
Batch batch_of(const std::vector<BatchFiles>& sources, int64_t batch, const json& weights) {
  std::optional<Batch> found;
  fs::path file;
  for (const BatchFiles& files : sources) {
    // Of one that has gone meanwhile, get() says so.
    if (!files.has(batch) && (found || &files != &sources.back())) continue;
    Batch here = files.get(batch, weights);
    if (found && !same_samples(*found, here)) {
      throw Error(file.string() + " and " + files.file(batch).string() +
                  " hold different samples of one batch; remove the one that is wrong");
    }
    if (found) continue;
    file = files.file(batch);
    found = std::move(here);
  }
  return std::move(*found);
}

/// The settings of the run whose batches a folder holds, where they are of this identity; else null.
json settings_of_same(const fs::path& batches, const json& identity) {
  try {
    json settings = BatchFiles::settings_in(batches);
    return settings.is_object() && identity_of(settings) == identity ? settings : json();
  } catch (const Error&) {  // damaged, or removed just now
    return {};
  }
}

}  // namespace

json assemble(const SampleConfig& config, const json& settings, const json& files,
              const std::vector<BatchFiles>& sources, const FormerRun& former, const SampleFolder& folder) {
  const BatchFiles& any = sources.front();
  check_none_is_missing(sources);
  const json weights = common_weights(sources);
  const Batch first = batch_of(sources, any.kept(), weights);
  json record;
  {
    const int64_t numbers = first.traces.numel() / first.traces.size(0);
    SampleStore store(folder.partial(), identity_of(config), first.images.sizes().slice(1).vec(), any.count(), numbers,
                      first.images.scalar_type());
    Pending pending(store);
    for (int64_t batch = any.kept(); batch < any.size(); ++batch) {
      pending.add(any.samples(batch), batch_of(sources, batch, weights));
    }
    pending.put();
    if (any.kept() > 0) keep_former_images(former, store, numbers / kTraceNumbers);
    if (store.finished() < store.count()) {
      throw Error(former.npz.string() + " holds fewer images than its run.json says; remove both and start again");
    }
    folder.replace_former();
    record = write_results(config, settings, store, weights, files, folder);
  }
  fs::remove(folder.partial());
  return record;
}

void keep_finished_batches(const fs::path& batches, const SampleConfig& config, const json& weights, SampleStore& store,
                           Progress& progress) {
  const json settings = settings_of_same(batches, identity_of(config));
  if (settings.is_null()) return;
  const BatchFiles files = BatchFiles::there(batches, settings);
  const json drawn_with = files.weights();
  if (drawn_with.is_null()) return;
  if (drawn_with != weights) {
    if (config.run.overwrite) return;
    throw UsageError("the batches in " + batches.string() + " were drawn with other weights; give the former files" +
                     kChooseAnother);
  }
  const bool coupled = coupling_of(config.guidance) != Coupling::kNone;
  const int64_t full = settings.at("sample").at("batch").get<int64_t>();
  Pending pending(store);
  const auto keep = [&](int64_t batch) {
    const std::vector<int64_t> samples = files.samples(batch);
    // The last ones of a run of another size may depend on fewer.
    const bool last = coupled && static_cast<int64_t>(samples.size()) < full && files.count() != store.count();
    if (samples.back() >= store.count() || last || !files.has(batch)) return;
    if (std::all_of(samples.begin(), samples.end(), [&](int64_t i) { return store.has(i); })) return;
    try {
      pending.add(samples, files.get(batch, weights));
    } catch (const CheckpointError&) {
      progress.note("note: " + files.file(batch).string() + " is damaged: its images are drawn again");
    }
  };
  int64_t next = 0;
  files.missing().each(0, files.size(), 0, 1, [&](int64_t missing) {
    while (next < missing) keep(next++);
    next = missing + 1;
    return true;
  });
  while (next < files.size()) keep(next++);
  pending.put();
}

void remove_batches(const fs::path& batches) {
  const fs::path done = batches.string() + ".done";
  std::error_code gone;
  fs::remove_all(done, gone);
  if (std::rename(batches.c_str(), done.c_str()) != 0 && errno != ENOENT) {
    throw Error("cannot remove " + batches.string() + ": " + std::strerror(errno));
  }
  fs::remove_all(done, gone);
}

void remove_batches_put_together(const fs::path& batches, const json& identity, int64_t images, double lease) {
  constexpr int64_t kRemoval = -1;  // no batch has this number
  const auto put_together = [&] {
    const json settings = settings_of_same(batches, identity);
    return settings.is_object() && settings.at("sample").at("count").get<int64_t>() <= images;
  };
  while (put_together()) {
    // One at a time: where two find the old batches, the second might remove new ones, which the first has begun.
    distributed::Claims claims(batches, lease);
    if (!claims.take(kRemoval)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } else if (put_together()) {
      remove_batches(batches);
    }
  }
}

}  // namespace sextant::commands
