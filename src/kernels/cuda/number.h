// The kinds of numbers that the kernels take.
#pragma once

#include <cstdint>

namespace sextant::kernels::cuda {

enum class Number { kFloat, kBFloat16, kHalf };

/// How many of them are read and written together: 16 bytes.
inline int64_t width_of(Number number) { return number == Number::kFloat ? 4 : 8; }

}  // namespace sextant::kernels::cuda
