#include <cstdlib>
#include <cstring>

#include "simd/table.h"

namespace sextant::kernels {

extern const Simd kBaseline;
#if defined(SEXTANT_X86)
extern const Simd kAvx2;
extern const Simd kAvx512;
#endif

namespace {

const Simd& select() {
#if defined(SEXTANT_X86)
  const char* const wanted = std::getenv("SEXTANT_SIMD");
  const auto allowed = [&](const char* name) { return !wanted || std::strcmp(wanted, name) == 0; };
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512 && allowed(kAvx512.name)) return kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && allowed(kAvx2.name)) return kAvx2;
#endif
  return kBaseline;
}

}  // namespace

const Simd& simd() {
  static const Simd& chosen = select();
  return chosen;
}

}  // namespace sextant::kernels
