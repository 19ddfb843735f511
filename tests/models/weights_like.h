#pragma once

#include "sextant/models/models.h"

namespace sextant::models {

/// Weights of the right names and shapes; zeros that share one number, so that they take no memory.
inline checkpoint::StateDict weights_like(const networks::Network& network) {
  checkpoint::StateDict weights;
  for (const auto& entry : network.parameters().entries()) {
    const auto type = entry.kind == networks::Parameters::Kind::kCounter ? at::kLong : at::kFloat;
    weights.set(entry.name, at::zeros({1}, type).squeeze(0).expand(entry.shape));
  }
  return weights;
}

}  // namespace sextant::models
