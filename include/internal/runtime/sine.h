// The sine in float32 of the published noise schedules.
#pragma once

namespace sextant {

/// sin(angle) for angle in [0, pi/2], to 0.7 units in the last place, with the same bits on every machine. Those of
/// std::sin and at::sin depend on the C library, on libtorch and on the processor, and tables of noise levels that were
/// published in float32 show it: their entries are made from ratios of neighbouring sines.
float float32_sine(float angle);

}  // namespace sextant
