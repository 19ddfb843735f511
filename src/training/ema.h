// The moving average of the weights, which is what a training saves.
#pragma once

#include <cstdint>
#include <vector>

#include "weights.h"

namespace sextant::training {

/// An exponential moving average: a <- r a + (1 - r) w, with TrainerConfig::ema's rate r at each update.
class Ema {
 public:
  Ema(const Weights& weights, double rate);
  void update(const Weights& weights);
  checkpoint::StateDict state(const Weights& weights) const { return weights.state(flat_, buffers_); }

  Tensor flat() const { return flat_; }
  std::vector<Tensor>& buffers() { return buffers_; }
  int64_t updates = 0;

 private:
  double rate_;
  Tensor flat_;
  std::vector<Tensor> buffers_;
};

}  // namespace sextant::training
