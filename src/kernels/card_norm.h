// Group norm by our own CUDA kernels.
#pragma once

#include "internal/kernels/norm.h"

namespace sextant::kernels {

/// Whether group_norm_on_card() computes it: images of a GPU in float32, bfloat16 or float16, and
/// own_cuda_kernels().
bool fits_card(at::TensorList x, const GroupNorm& norm);

/// group_norm_plain(), channels last, in two passes over the images instead of six or more; gradients in all that it is
/// given.
Tensor group_norm_on_card(at::TensorList x, const GroupNorm& norm);

/// Whether resample_on_card() computes it: images as above, whose gradient nobody wants.
bool resamples_on_card(const Tensor& x, Resampling resampling);

/// resample_plain(), channels last.
Tensor resample_on_card(const Tensor& x, Resampling resampling);

}  // namespace sextant::kernels
