// Images at half or double their size.
#pragma once

#include "internal/kernels/resampling.h"
#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// x [B, C, H, W] resampled, in its dtype; fused as norm.h says.
Tensor resample(const Tensor& x, Resampling resampling);
Tensor resample_plain(const Tensor& x, Resampling resampling);

}  // namespace sextant::kernels
