// From a diffusion model's pixels to bytes.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

enum class Rounding {
  kOpenAi,  ///< trunc((x + 1) 127.5), guided-diffusion's
  kEdm,     ///< trunc(127.5 x + 128), EDM's: the nearest byte
};

/// Images in [-1, 1] as bytes, values beyond clipped: same shape, uint8.
Tensor to_uint8(const Tensor& x, Rounding rounding = Rounding::kOpenAi);

}  // namespace sextant::diffusion
