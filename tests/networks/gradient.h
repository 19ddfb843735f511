// Derivatives by autograd, for comparison with the golden files' gradients.
#pragma once

#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "sextant/runtime/tensor.h"

namespace sextant::testing {

/// d f(x) / dx for a function whose value is a single number.
inline Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const Tensor leaf = x.detach().clone().requires_grad_(true);
  return torch::autograd::grad({f(leaf)}, {leaf})[0];
}

/// In float64 only rounding separates two implementations: 1e-10 of the largest value.
inline double float64_tolerance(const Tensor& expected) { return 1e-10 * (1 + expected.abs().max().item<double>()); }

}  // namespace sextant::testing
