// One run drawn by several processes that share a folder and nothing else.
#pragma once

#include <filesystem>
#include <functional>

#include "internal/commands/sample.h"
#include "sample/batch_files.h"
#include "sample/folder.h"

namespace sextant::commands {

/// Which batches a process draws. Batch b is first offered to share b mod `shares`.
struct Share {
  int64_t index = 0;  ///< 0, ..., shares - 1
  int64_t shares = 1;
  bool helps = false;  ///< also draws what the others have left: they are known to share its folder
  bool leads = true;   ///< tells how the whole job goes
  double lease = 60;   ///< seconds after which a silent process counts as dead

  bool alone() const { return shares == 1; }
};

/// What the settings and the launcher say. UsageError for a --shard that is no K/N with 1 <= K <= N, or given beside a
/// launcher.
Share share_of(const SampleConfig& config);

/// What draws the samples with the numbers given, see BatchSampler::draw(), and the record of its weights.
struct Opened {
  std::function<Batch(const std::vector<int64_t>& samples, const std::function<void(double)>& progress)> draw;
  nlohmann::json weights;
};

/// Draws a share of the run into folder.path()/samples.batches, whose record has `hashes`, files_of() it. `open` makes
/// the sampler when there is something to draw.
///
/// Own batches come first. Then, where others are seen to work in the folder, the batches that are left: those that
/// nobody has claimed, and those of processes that died. The process that finds all batches done writes the results and
/// removes the batches.
SampleResult draw_share(const SampleConfig& config, const nlohmann::json& settings, const nlohmann::json& hashes,
                        const Share& share, const SampleFolder& folder, const std::function<Opened()>& open,
                        Progress& progress, const Stop& stop);

}  // namespace sextant::commands
