// The numbers that a training moves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/tensor.h"

namespace sextant::training {

/// A network's trainable numbers as one float32 vector, whatever the network computes in. Half-precision networks
/// compute with rounded copies; float32 ones with views.
class Weights {
 public:
  /// A parameter: where its numbers begin, the network's tensor.
  struct Slot {
    std::string name;
    Tensor handle;
    int64_t offset;
  };

  /// The network must be in float32 and opened by Network::train(); it is left computing in `compute`.
  Weights(networks::Network& network, at::ScalarType compute);

  int64_t size() const { return master_.numel(); }
  Tensor master() const { return master_; }  ///< [P] float32, on the network's device
  /// The gradients that backward passes left, times `factor`, [P]; clears them.
  Tensor take_gradient(double factor);
  void clear_gradient();
  /// In order of their numbers.
  const std::vector<Slot>& slots() const { return slots_; }
  /// Rounds the master weights into a half-precision network.
  void publish();
  /// Running statistics and counters, which training moves without gradients, by name.
  const std::vector<std::pair<std::string, Tensor>>& buffers() const { return buffers_; }
  /// Copies as Network::load takes them: the parameters out of `flat` [P], the buffers as given, in their order.
  checkpoint::StateDict state(const Tensor& flat, const std::vector<Tensor>& buffers) const;

 private:
  std::vector<Slot> slots_;
  std::vector<std::pair<std::string, Tensor>> buffers_;
  Tensor master_;
};

}  // namespace sextant::training
