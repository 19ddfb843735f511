// The table of one instruction set, for the file that is compiled for it.
#pragma once

#include "simd/activation.h"
#include "simd/attention.h"
#include "simd/norm.h"
#include "simd/norm_gradient.h"
#include "simd/winograd.h"

namespace sextant::kernels::SEXTANT_ISA {

constexpr Simd table(const char* name) {
  return {name,
          kRows,
          kPanel,
          gemm<float>,
          gemm<double>,
          dots,
          moments<float>,
          moments<Bf16>,
          affine<float>,
          affine<Bf16>,
          affine_gradient<float>,
          affine_gradient<Bf16>,
          combination<float>,
          combination<Bf16>,
          winograd,
          attention,
          activation_forward<float>,
          activation_forward<Bf16>,
          activation_backward<float>,
          activation_backward<Bf16>};
}

}  // namespace sextant::kernels::SEXTANT_ISA
