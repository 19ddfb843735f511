#include "numpy_random.h"

#include <bit>

#include "sextant/metrics/metrics.h"

namespace sextant::metrics {

/// Uniform in [0, largest]: the lowest bits that can hold it, drawn again while they exceed it.
uint64_t NumpyRandom::up_to(uint64_t largest) {
  const uint64_t mask = std::bit_ceil(largest + 1) - 1;
  while (true) {
    uint64_t drawn = bits_();
    if (largest > 0xffffffffu) drawn = drawn << 32 | bits_();
    if ((drawn & mask) <= largest) return drawn & mask;
  }
}

Tensor NumpyRandom::permutation(int64_t count) {
  const Tensor order = at::arange(count, at::kLong);
  int64_t* const index = order.data_ptr<int64_t>();
  for (int64_t i = count - 1; i > 0; --i) std::swap(index[i], index[up_to(static_cast<uint64_t>(i))]);
  return order;
}

Tensor numpy_permutation(int64_t count, uint32_t seed) { return NumpyRandom(seed).permutation(count); }

}  // namespace sextant::metrics
