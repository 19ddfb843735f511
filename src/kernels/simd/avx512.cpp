#define SEXTANT_ISA avx512
#include "simd/loops.h"

namespace sextant::kernels {

extern const Simd kAvx512;
const Simd kAvx512 = avx512::table("avx512");

}  // namespace sextant::kernels
