// The optimiser.
#pragma once

#include <cstdint>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::training {

struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  static constexpr Range kBeta{0, 0.9999999};  ///< of both
  double eps = 1e-8;
  double weight_decay = 0;
  static constexpr Range kWeightDecay{0, 10};
  bool decoupled = true;  ///< AdamW (Loshchilov & Hutter 2019); else Adam with the decay in the gradient
};

/// Adam (Kingma & Ba 2015) on one vector, as PyTorch computes it.
class Adam {
 public:
  /// UsageError for a setting out of its range.
  Adam(const Tensor& weights, AdamConfig config);
  /// Moves `weights` [P] in place.
  void step(const Tensor& weights, const Tensor& gradient, double learning_rate);

  int64_t steps = 0;
  Tensor first, second;  ///< the moments, [P]

 private:
  AdamConfig config_;
};

}  // namespace sextant::training
