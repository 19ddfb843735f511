// Tensors for tests.
#pragma once

#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::testing {

/// float64 [n].
inline Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

/// float64 draws from the standard normal distribution, the same for the same seed.
inline Tensor normals(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::kDouble);
}

}  // namespace sextant::testing
