// Group norm by our own CUDA kernels.
#pragma once

#include "internal/kernels/norm.h"

namespace sextant::kernels {

/// Whether group_norm_on_card() computes it: images of a GPU in float32, bfloat16 or float16, no gradient of a
/// parameter wanted, and own_cuda_kernels().
bool fits_card(at::TensorList x, const GroupNorm& norm);

/// group_norm_plain(), channels last, in two passes over the images instead of six or more; gradients in x.
Tensor group_norm_on_card(at::TensorList x, const GroupNorm& norm);

}  // namespace sextant::kernels
