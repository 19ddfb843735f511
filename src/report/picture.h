// What the pictures of this module share.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::report {

/// ShapeError unless `picture` is uint8 [H, W, 1 or 3] with at least one pixel.
void check_picture(const char* caller, const Tensor& picture);

}  // namespace sextant::report
