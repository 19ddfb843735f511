#include "adam.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

namespace sextant::training {
namespace {

/// Numbers that a thread moves at a time: all that belongs to them stays in its cache from the first operation to the
/// last.
constexpr int64_t kAtOnce = 1 << 15;

}  // namespace

Adam::Adam(const Tensor& weights, AdamConfig config)
    : first(at::zeros_like(weights)), second(at::zeros_like(weights)), config_(config) {
  AdamConfig::kBeta.check("adam", "beta1", config.beta1);
  AdamConfig::kBeta.check("adam", "beta2", config.beta2);
  AdamConfig::kWeightDecay.check("adam", "weight-decay", config.weight_decay);
}

void Adam::step(const Tensor& weights, const Tensor& gradient, double learning_rate) {
  const at::NoGradGuard no_grad;
  ++steps;
  const int64_t count = weights.numel();
  const int64_t block = weights.is_cpu() ? kAtOnce * at::get_num_threads() : std::max<int64_t>(1, count);
  for (int64_t begin = 0; begin < count; begin += block) {
    const int64_t length = std::min(block, count - begin);
    const auto part = [&](const Tensor& x) { return x.narrow(0, begin, length); };
    move(part(weights), part(first), part(second), part(gradient), learning_rate);
  }
}

void Adam::move(const Tensor& w, const Tensor& m, const Tensor& v, Tensor g, double learning_rate) const {
  const AdamConfig& c = config_;
  if (c.decoupled) {
    w.mul_(1 - learning_rate * c.weight_decay);
  } else if (c.weight_decay != 0) {
    g = g + c.weight_decay * w;
  }
  m.mul_(c.beta1).add_(g, 1 - c.beta1);
  v.mul_(c.beta2).addcmul_(g, g, 1 - c.beta2);
  const double correction1 = 1 - std::pow(c.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(c.beta2, static_cast<double>(steps));
  const Tensor deviation = v.sqrt().div_(std::sqrt(correction2)).add_(c.eps);
  w.addcdiv_(m, deviation, -learning_rate / correction1);
}

}  // namespace sextant::training
