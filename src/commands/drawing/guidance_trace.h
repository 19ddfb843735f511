// What a guide did along the steps of a run: how hard it pulled, and what its classifier thought.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sextant/report/drawing.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

/// What is kept of an image's guided step.
enum TraceNumber : int64_t {
  kGradientNorm,  ///< |g|, the scale in it
  kProbability,   ///< p(target) of the classifier, where the guide reads it
  kEntropy,       ///< H(p) in nats
  kTraceNumbers
};

/// The trace of one batch while it is drawn.
class GuidanceTrace {
 public:
  /// Of `images` in `steps` steps; 0 steps keep nothing. Of `attributes`, whose logits are positive where one is as
  /// asked, the probability is that all are, and the entropy the sum of theirs.
  GuidanceTrace(int64_t images, int64_t steps, bool attributes = false);

  /// Adds a step of the images [N, ...] that are steered to targets [N]; one without guidance is passed over. Its
  /// numbers stay on the images' device until they are asked for.
  void add(const samplers::Step& step, const Tensor& targets);

  /// [N, steps, kTraceNumbers] float64, CPU, by respaced index; NaN where a step was not guided.
  const Tensor& points();
  /// |g| of image n averaged over its guided steps; 0 without any.
  double mean_norm(int64_t n);

 private:
  Tensor points_;
  bool attributes_;
  std::vector<int64_t> late_steps_;  ///< whose numbers are not in points_ yet
  std::vector<Tensor> late_;         ///< [N, kTraceNumbers] each
};

/// The mean over images, which need not be in memory together.
class TraceMeans {
 public:
  /// One image's numbers, as GuidanceTrace::points() has them.
  void add(const std::vector<double>& numbers);

  /// From the first step on, without those that were not guided: [{"step": respaced index, "images": how many,
  /// "gradient_norm": mean |g|, "probability": mean p(target), "entropy": mean H(p)}].
  nlohmann::json rows() const;

 private:
  struct Sum {
    int64_t images = 0;
    double of[kTraceNumbers] = {};
  };
  std::vector<Sum> steps_;
};

/// `number` ("gradient_norm") of such rows over the steps.
report::Curve curve_over_steps(const nlohmann::json& rows, const std::string& number);

/// The axes of curves over the steps, the noisiest at the left.
report::Chart chart_over_steps(const std::string& title, const std::string& y_label);

}  // namespace sextant::commands
