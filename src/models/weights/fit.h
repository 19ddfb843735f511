// How well tensors fit a network.
#pragma once

#include <string>

#include "sextant/networks/network.h"

namespace sextant::models {

struct Fit {
  int64_t right = 0;              ///< names with the right shape
  bool exact = false;             ///< every tensor has its place and every place its tensor
  bool lacks_statistics = false;  ///< exact but for running means and variances, which are not there
};

/// Building a network costs no memory for weights, so this is cheap.
Fit fit(const networks::Network& network, const checkpoint::StateDict& published);

/// Which tensors do not fit, by the network's names, and what to do about them: "not in it: fc.1.weight, fc.1.bias;
/// missing: fc.weight, fc.bias; ...". "" where all fit.
std::string misfits(const networks::Network& network, const checkpoint::StateDict& published);

/// The fewest tensors that can fit a network, running statistics not counted.
std::size_t fewest_tensors(const networks::Network& network);

}  // namespace sextant::models
