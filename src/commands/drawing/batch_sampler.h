// Draws samples batch by batch.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "drawing/guidance_trace.h"
#include "drawing/labels.h"
#include "drawing/models.h"
#include "drawing/store.h"
#include "internal/commands/sample.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {

struct Batch {
  Tensor images;  ///< [N, H, W, C] uint8, or points [N, d] float32, CPU
  std::vector<SampleRecord> records;
  Tensor traces;  ///< [N, trace_steps, kTraceNumbers]: see GuidanceTrace::points()
};

/// Draws batch after batch with the same models, and with one guide that forgets between them.
class BatchSampler {
 public:
  /// UsageError when settings and networks do not fit each other. A guide's classifier that is open although nothing is
  /// to be guided watches: the trace has what plain guidance at x0-hat would have done, and the images are unguided.
  BatchSampler(const SampleConfig& config, SamplingModels models);

  /// The samples with these indices. `progress` hears the share of the batch's steps that is done, in (0, 1]; `observe`
  /// every step, as the trace sees it.
  Batch draw(const std::vector<int64_t>& samples, const std::function<void(double)>& progress,
             const samplers::StepObserver& observe = {});

  /// Steps of a guided or watched run, whose trace is kept; 0 without a classifier.
  int64_t trace_steps() const { return trace_steps_; }
  const SamplingModels& models() const { return models_; }

 private:
  /// What plain guidance at x0-hat would have done at a step.
  guidance::Guidance watched(const samplers::Step& step, const Tensor& targets, const SampleIds& ids) const;

  SampleConfig config_;
  SamplingModels models_;
  std::shared_ptr<Stopwatch> in_denoiser_ = std::make_shared<Stopwatch>();
  std::shared_ptr<Stopwatch> in_classifier_ = std::make_shared<Stopwatch>();  ///< forward and backward
  Labels labels_;
  int64_t num_classes_ = 0;  ///< that labels are drawn from
  std::unique_ptr<guidance::Guide> guide_;
  std::unique_ptr<guidance::Guide> watch_;  ///< where there is a classifier and no guide
  int64_t trace_steps_ = 0;
};

}  // namespace sextant::commands
