// How hard a guide pulled along the steps of a run: gradient norms, and the classifier's confidence beside them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>

#include "sextant/samplers/samplers.h"

namespace sextant::commands {

class GuidanceTrace {
 public:
  /// Adds a guided step of images [N, ...] that are steered to targets [N]; others are passed over. Returns |g| [N],
  /// undefined for a step that was passed over.
  Tensor add(const samplers::Step& step, const Tensor& targets);

  /// Adds what to_json() gave: the images that an interrupted run had drawn.
  void add(const nlohmann::json& former);

  /// From the first step on: [{"step": respaced index, "images": how many, "gradient_norm": mean |g|,
  /// "probability": mean p(target) that the classifier gave}].
  nlohmann::json to_json() const;

 private:
  struct Sum {
    int64_t images = 0;
    double gradient_norm = 0;
    double probability = 0;
  };
  std::map<int64_t, Sum, std::greater<>> steps_;
};

/// gradient-norm.svg and .png into `folder` where this build can draw; of an empty trace none, and an earlier run's go.
void write_trace(const std::filesystem::path& folder, const nlohmann::json& trace);

}  // namespace sextant::commands
