// Group norm (Wu & He 2018) with what surrounds it in the blocks of a U-Net.
//
// Every fused operation of this module computes the same as its plain twin, a few lines of ATen that carry gradients
// and run on any device. The fused loops are taken for float32 and bfloat16 on a CPU where no gradient of a parameter
// is wanted (group_norm takes them there too); bfloat16 is storage only: sums, norms, softmaxes and exponentials are
// float32. A sample's result does not depend on the rest of its batch.
//
// Images are [B, C, H, W]; results of the fused loops lie in memory as channels last. A list of images stands for their
// concatenation along the channels, which is never made. Thread-safe. All throw ShapeError.
#pragma once

#include "internal/kernels/resample.h"
#include "sextant/runtime/tensor.h"

namespace sextant::kernels {

/// y = resampled(f(norm(x + added) * weight + bias, modulated)), modulated(h) = h * (1 + scale) + shift,
/// f the identity or SiLU; norm takes mean and variance over each group of channels of one image.
struct GroupNorm {
  int64_t groups = 32;
  double eps = 1e-5;
  Tensor weight;  ///< [C] float32, or float64 for a float64 x
  Tensor bias;    ///< [C]
  Tensor added;   ///< [B, C], or undefined
  Tensor scale;   ///< [B, C], or undefined
  Tensor shift;   ///< [B, C]; together with scale
  bool silu = false;
  Resampling resampling = Resampling::kKeep;
};

/// In the dtype of x.
Tensor group_norm(at::TensorList x, const GroupNorm& norm);
Tensor group_norm_plain(at::TensorList x, const GroupNorm& norm);

}  // namespace sextant::kernels
