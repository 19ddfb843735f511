// Where networks, kernels and samplers are tested: SEXTANT_TEST_DEVICE, the CPU unless told otherwise.
#pragma once

#include <cstdlib>

#include "sextant/runtime/device.h"

namespace sextant::testing {

inline at::Device test_device() {
  const char* chosen = std::getenv("SEXTANT_TEST_DEVICE");
  static const at::Device device = parse_device(chosen && *chosen ? chosen : "cpu");
  return device;
}

/// Numbers drawn on the CPU, the same for every device, on the test's.
inline Tensor randn(at::IntArrayRef shape) { return at::randn(shape).to(test_device()); }
inline Tensor ones(at::IntArrayRef shape) { return at::ones(shape).to(test_device()); }
inline Tensor zeros(at::IntArrayRef shape) { return at::zeros(shape).to(test_device()); }

}  // namespace sextant::testing
