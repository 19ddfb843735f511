#define SEXTANT_ISA baseline
#include "simd/loops.h"

namespace sextant::kernels {

extern const Simd kBaseline;
const Simd kBaseline = baseline::table("baseline");

}  // namespace sextant::kernels
