// Batches that are drawn in parts where the memory does not hold them whole.
#pragma once

#include <functional>
#include <vector>

#include "drawing/batch_sampler.h"

namespace sextant::commands {

class FittingSampler {
 public:
  /// Draws with `sampler`; both outlive this.
  FittingSampler(BatchSampler& sampler, const SampleConfig& config, Progress& progress);

  /// BatchSampler::draw(). Where the memory runs out, the first time, this batch and all that follow are drawn in parts
  /// of half its size, and a note says so. After that, or where images depend on each other and cannot be drawn in
  /// parts, it is an Error that says what to lower.
  Batch draw(const std::vector<int64_t>& samples, const std::function<void(double)>& share);

 private:
  Batch draw_in_parts(const std::vector<int64_t>& samples, const std::function<void(double)>& share);
  void halve(int64_t size);

  BatchSampler& sampler_;
  Progress& progress_;
  int64_t unit_;        ///< images that have to be drawn together; 0 is all of a batch
  int64_t most_ = 0;    ///< images at a time; 0 is no limit
  int64_t failed_ = 0;  ///< what was too many before; 0 while nothing was
};

}  // namespace sextant::commands
