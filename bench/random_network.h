// Networks at full size with random weights: speed does not depend on them.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/models.h"

namespace sextant::bench {

/// Weights of an architecture, small enough that activations stay finite; the same at every call.
inline checkpoint::StateDict random_weights(const nlohmann::json& config) {
  at::manual_seed(0);
  checkpoint::StateDict weights;
  // The same million numbers again and again: making half a billion takes longer than what is measured with them.
  const Tensor some = at::randn({1 << 20}) * 0.02;
  const auto network = models::build(config);
  for (const auto& entry : network->parameters().entries()) {
    using Kind = networks::Parameters::Kind;
    if (entry.kind == Kind::kConstant || entry.kind == Kind::kCounter) continue;
    const bool variance = entry.name.ends_with("running_var");
    const bool gain = entry.shape.size() == 1 && entry.name.ends_with("weight");
    int64_t count = 1;
    for (const int64_t size : entry.shape) count *= size;
    const Tensor values = some.repeat({count / some.numel() + 1}).narrow(0, 0, count).view(entry.shape);
    weights.set(entry.name, variance || gain ? 1 + values : values);
  }
  return weights;
}

template <class Wanted>
std::shared_ptr<Wanted> random_network(const nlohmann::json& config, const checkpoint::StateDict& weights,
                                       models::Placement place) {
  std::shared_ptr<networks::Network> network = models::build(config);
  network->load(weights);
  network->to(place.device, place.precision);
  network->freeze();
  return std::dynamic_pointer_cast<Wanted>(network);
}

}  // namespace sextant::bench
