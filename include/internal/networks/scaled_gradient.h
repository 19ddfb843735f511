// Gradients through networks that compute in float16.
#pragma once

#include <functional>

#include "sextant/networks/network.h"

namespace sextant::networks {

/// y = f(x), rows of x to rows of y, whose vector-Jacobian product keeps float16's digits inside: a guidance gradient
/// of 1e-7 a pixel would be rounded to nothing there. Each row of the vector is multiplied by a power of two that
/// brings its largest number to [512, 1024), and the gradient at x by its inverse: in float32 and up nothing is rounded
/// by it. Rows do not touch each other, and nothing waits for the device.
Tensor scaled_gradient(const Tensor& x, const std::function<Tensor(const Tensor& x)>& f);

/// scaled_gradient() where `network`, which f runs, computes in float16 and a gradient is wanted; else f(x).
Tensor differentiable(const Network& network, const Tensor& x, const std::function<Tensor(const Tensor& x)>& f);

}  // namespace sextant::networks
