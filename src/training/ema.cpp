#include "ema.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace sextant::training {

Ema::Ema(const Weights& weights, double rate) : rate_(rate), flat_(weights.master().clone()) {
  for (const auto& [name, tensor] : weights.buffers()) buffers_.push_back(tensor.clone());
}

void Ema::update(const Weights& weights) {
  const at::NoGradGuard no_grad;
  ++updates;
  const auto n = static_cast<double>(updates);
  const double rate = std::min(rate_, (1 + n) / (10 + n));
  flat_.lerp_(weights.master(), 1 - rate);
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const Tensor& now = weights.buffers()[i].second;
    if (now.is_floating_point()) {
      buffers_[i].lerp_(now, 1 - rate);
    } else {
      buffers_[i].copy_(now);
    }
  }
}

}  // namespace sextant::training
