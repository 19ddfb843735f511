// How hard a guide pulled along the steps of a run: gradient norms, and the classifier's confidence beside them.
#pragma once

#include <nlohmann/json.hpp>

#include "sample/store.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

/// What is kept of an image's guided step: |g| and the p(target) that the classifier gave.
inline constexpr int64_t kTraceNumbers = 2;

/// The trace of one batch while it is drawn.
class GuidanceTrace {
 public:
  /// Of `images` in `steps` steps; 0 steps keep nothing.
  GuidanceTrace(int64_t images, int64_t steps);

  /// Adds a step of the images [N, ...] that are steered to targets [N]; one without guidance is passed over.
  void add(const samplers::Step& step, const Tensor& targets);

  /// [N, steps, kTraceNumbers] float64, CPU, by respaced index; NaN where a step was not guided.
  const Tensor& points() const { return points_; }
  /// |g| of image n averaged over its guided steps; 0 without any.
  double mean_norm(int64_t n) const;

 private:
  Tensor points_;
};

/// Over all finished samples of the store, whichever run drew them, from the first step on: [{"step": respaced index,
/// "images": how many, "gradient_norm": mean |g|, "probability": mean p(target)}].
nlohmann::json trace_of(const SampleStore& store);

/// gradient-norm.svg and .png into `folder` where this build can draw; of an empty trace none, and an earlier run's go.
void write_trace(const std::filesystem::path& folder, const nlohmann::json& trace);

}  // namespace sextant::commands
