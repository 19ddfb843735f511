#include "adam.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace sextant::training {

Adam::Adam(const Tensor& weights, AdamConfig config)
    : first(at::zeros_like(weights)), second(at::zeros_like(weights)), config_(config) {
  AdamConfig::kBeta.check("adam", "beta1", config.beta1);
  AdamConfig::kBeta.check("adam", "beta2", config.beta2);
  AdamConfig::kWeightDecay.check("adam", "weight-decay", config.weight_decay);
}

void Adam::step(const Tensor& weights, const Tensor& gradient, double learning_rate) {
  const at::NoGradGuard no_grad;
  const AdamConfig& c = config_;
  ++steps;
  Tensor w = weights;
  Tensor g = gradient;
  if (c.decoupled) {
    w.mul_(1 - learning_rate * c.weight_decay);
  } else if (c.weight_decay != 0) {
    g = g + c.weight_decay * w;
  }
  first.mul_(c.beta1).add_(g, 1 - c.beta1);
  second.mul_(c.beta2).addcmul_(g, g, 1 - c.beta2);
  const double correction1 = 1 - std::pow(c.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(c.beta2, static_cast<double>(steps));
  const Tensor deviation = (second.sqrt() / std::sqrt(correction2)).add_(c.eps);
  w.addcdiv_(first, deviation, -learning_rate / correction1);
}

}  // namespace sextant::training
