// The network that validation asks.
#pragma once

#include <functional>
#include <memory>

#include "sextant/networks/network.h"

namespace sextant::training {

/// A second network of the same kind, made at the first call: with the averaged weights, on the device, in float32 and
/// frozen, as whoever opens the checkpoint has it.
class Judge {
 public:
  explicit Judge(std::function<std::shared_ptr<networks::Network>()> build) : build_(std::move(build)) {}

  const std::shared_ptr<networks::Network>& with(const checkpoint::StateDict& averaged, at::Device device) {
    if (!network_) network_ = build_();
    network_->load(averaged, "the averaged weights");
    network_->to(device, at::kFloat);
    network_->freeze();
    return network_;
  }

 private:
  std::function<std::shared_ptr<networks::Network>()> build_;
  std::shared_ptr<networks::Network> network_;
};

}  // namespace sextant::training
