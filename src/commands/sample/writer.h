// Writes finished batches while the next ones are drawn.
#pragma once

#include <future>
#include <vector>

#include "drawing/batch_sampler.h"
#include "sample/folder.h"

namespace sextant::commands {

/// One batch at a time is on its way to the store, in a thread of its own: nobody else may use the store meanwhile. A
/// kill loses that batch, if its writing had not ended, and the one that is being drawn.
class BatchWriter {
 public:
  BatchWriter(SampleStore& store, const SampleFolder& folder) : store_(store), folder_(folder) {}
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  /// Begins to store the images with the indices `samples`, when the last batch is on disk. Throws what went wrong with
  /// that one.
  void write(std::vector<int64_t> samples, Batch batch);
  /// Waits until all is on disk; throws likewise.
  void finish();

 private:
  SampleStore& store_;
  const SampleFolder& folder_;
  std::future<void> under_way_;
};

}  // namespace sextant::commands
