// Resizing in the three ways that published numbers depend on.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::networks {

/// TensorFlow 1's ResizeBilinear with align_corners = False: output pixel i lies at input coordinate i * in / out,
/// without half-pixel centres. x [B, C, H, W] floating point; returns [B, C, height, width].
Tensor resize_tensorflow1(const Tensor& x, int64_t height, int64_t width);

/// F.interpolate(mode="bilinear", align_corners=False): half-pixel centres, no antialiasing.
Tensor resize_bilinear(const Tensor& x, int64_t height, int64_t width);

/// Pillow's bicubic filter on float32 pixels, wider where it shrinks (antialiasing); overshoots stay.
Tensor resize_pillow(const Tensor& x, int64_t height, int64_t width);

}  // namespace sextant::networks
