// The optimiser.
#pragma once

#include <cstdint>

#include "sextant/runtime/tensor.h"
#include "sextant/training/trainer.h"

namespace sextant::training {

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
  void move(const Tensor& w, const Tensor& m, const Tensor& v, Tensor g, double learning_rate) const;

  AdamConfig config_;
};

}  // namespace sextant::training
