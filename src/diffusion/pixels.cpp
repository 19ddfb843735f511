#include "sextant/diffusion/process.h"

namespace sextant::diffusion {

Tensor to_uint8(const Tensor& x, Rounding rounding) {
  const Tensor scaled = rounding == Rounding::kOpenAi ? (x + 1) * 127.5 : x * 127.5 + 128;
  return scaled.clamp(0, 255).to(at::kByte);
}

}  // namespace sextant::diffusion
