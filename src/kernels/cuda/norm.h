// The kernels of norm_bodies.h, launched: for float, bfloat16 and half, given as numbers of their kind.
#pragma once

#include "cuda/norm_bodies.h"

namespace sextant::kernels::cuda {

enum class Number { kFloat, kBFloat16, kHalf };

/// Images of B rows, as Parts; pointers of the device.
struct NormImages {
  Number number;
  const void *first, *second;
  int64_t batch, first_channels, channels, pixels;
  int64_t chunks() const { return (pixels + kPixels - 1) / kPixels; }
};

/// y [B, P, C] and affine [B, C]. `room` holds B C (chunks + 1) Moments. Returns cudaError_t, 0 is success;
/// asynchronous.
int norm_forward(const NormImages& x, const NormParameters& norm, Moments* room, Affine* affine, void* y, void* stream);

/// dx of the parts, from dy [B, P, C]. `room` holds B C (chunks + 2) Sums.
int norm_backward(const NormImages& x, int64_t groups, bool silu, const Affine* affine, const void* dy, Sums* room,
                  void* first, void* second, void* stream);

}  // namespace sextant::kernels::cuda
