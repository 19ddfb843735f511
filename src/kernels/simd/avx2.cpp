#define SEXTANT_ISA avx2
#include "simd/loops.h"

namespace sextant::kernels {

extern const Simd kAvx2;
const Simd kAvx2 = avx2::table("avx2");

}  // namespace sextant::kernels
