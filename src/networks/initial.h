// Where weights start before they train.
#pragma once

#include "sextant/networks/network.h"
#include "sextant/runtime/noise.h"

namespace sextant::networks {

/// As PyTorch starts a layer: norms 1 and 0, weights and biases of other layers uniform within 1/sqrt(fan in), running
/// means 0, running variances 1. `noise` has the weight's shape.
Tensor default_initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise);

/// Normal weights of mean 0 and standard deviation sqrt(2 / fan) (He et al. 2015, eq. 10).
Tensor he_initial(int64_t fan, const Noise& noise);
/// Normal weights of mean 0.
Tensor normal_initial(double deviation, const Noise& noise);

/// Numbers that one output channel of a weight is a sum of.
int64_t fan_in(const Parameters::Entry& weight);

}  // namespace sextant::networks
