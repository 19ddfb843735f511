// Which random numbers belong to which purpose. Each purpose has a seed of its own, so no two share a number.
#pragma once

#include <cstdint>

namespace sextant::training {

enum class Purpose : uint64_t {
  kInitial = 1,
  kOrder,
  kAugmentation,
  kTimestep,
  kNoise,
  kLabelDropout,
  kDropout,
  kHoldOut,
  kValidation,
};

inline uint64_t stream(uint64_t seed, Purpose purpose) {
  return seed + 0x9E3779B97F4A7C15 * static_cast<uint64_t>(purpose);  // the golden ratio: distinct seeds stay distinct
}

}  // namespace sextant::training
