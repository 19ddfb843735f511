// numpy.random.RandomState, as far as published metrics depend on it.
#pragma once

#include <random>

#include "sextant/runtime/tensor.h"

namespace sextant::metrics {

class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : bits_(seed) {}

  /// RandomState.permutation(count), [count] int64; its first k entries are choice(count, k, replace=False).
  Tensor permutation(int64_t count);

 private:
  uint64_t up_to(uint64_t largest);

  std::mt19937 bits_;
};

}  // namespace sextant::metrics
