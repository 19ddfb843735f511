// The kernels of norm_bodies.h and norm_gradient_bodies.h, launched: for float, bfloat16 and half, given as numbers of
// their kind.
#pragma once

#include "cuda/norm_gradient_bodies.h"
#include "cuda/number.h"

namespace sextant::kernels::cuda {

/// Images of B rows, as Parts; pointers of the device.
struct NormImages {
  Number number;
  const void *first, *second;
  int64_t batch, first_channels, channels, pixels;

  int64_t chunks() const { return chunks_of(pixels); }
  /// Whether all lies so that 16 bytes can be read at once.
  bool wide() const;
};

/// NormParameters without their type: that of the images where `like_images`, else float.
struct NormGiven {
  const float *weight, *bias;
  const void *added, *scale, *shift;
  bool like_images;
  int64_t groups, added_stride, scale_stride;
  float eps;
  bool silu;
};

/// What happens to the size of the image behind the norm.
enum class Resized { kKept, kHalved, kDoubled };

/// y [B, P, C], P after resizing images of `width` columns, and affine [4, B, C]. `room` holds B C (chunks + 1)
/// Moments. No kernel has more than kMostThreads. Returns cudaError_t, 0 is success; asynchronous.
int norm_forward(const NormImages& x, const NormGiven& norm, Moments* room, float* affine, Resized resized,
                 int64_t width, void* y, void* stream);

/// Resized alone, of one part.
int resample(const NormImages& x, Resized resized, int64_t width, void* y, void* stream);

/// dx of the parts, from dy [B, P, C] of a norm that keeps the size. `room` holds B C (chunks + 2) Sums.
int norm_backward(const NormImages& x, int64_t groups, bool silu, float* affine, const void* dy, Sums* room,
                  void* first, void* second, void* stream);

}  // namespace sextant::kernels::cuda
