#pragma once

#include "simd/vector.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

/// d silu(z) / dz
SEXTANT_INLINE Floats silu_slope(Floats z) {
  const Floats s = reciprocal(1.0f + exp(-z));
  return s * (1.0f + z * (1.0f - s));
}

/// What reaches pixel (row, column) of x from dy: the picture that results has `height` x `width` pixels.
template <Resampling kResampling, class T>
SEXTANT_INLINE Floats arriving(const AffineGradient<T>& job, int64_t column, int64_t channel, int64_t count) {
  const auto dy = [&](int64_t row, int64_t col, int64_t width) __attribute__((always_inline)) {
    return load(job.dy + (row * width + col) * job.dy_stride + channel, count);
  };
  if (kResampling == Resampling::kHalve) {
    const bool dropped = job.row / 2 >= job.height / 2 || column / 2 >= job.width / 2;
    return dropped ? Floats{} : 0.25f * dy(job.row / 2, column / 2, job.width / 2);
  }
  if (kResampling == Resampling::kDouble) {
    const int64_t row = 2 * job.row, col = 2 * column, width = 2 * job.width;
    return dy(row, col, width) + dy(row, col + 1, width) + dy(row + 1, col, width) + dy(row + 1, col + 1, width);
  }
  return dy(job.row, column, job.width);
}

template <Resampling kResampling, class T>
void affine_gradient_of(const AffineGradient<T>& job) {
  const int64_t first = job.row * job.width * job.channels;
  in_vectors(
      job.channels, SEXTANT_BODY {
        const Floats factor = load(job.factor + i, count), offset = load(job.offset + i, count),
                     centre = load(job.centre + i, count);
        Floats sum = {}, weighted = {};
        for (int64_t column = 0; column < job.width; ++column) {
          const int64_t place = first + column * job.channels + i;
          const Floats x = load(job.x + place, count);
          Floats dz = arriving<kResampling>(job, column, i, count);
          if (job.silu) dz *= silu_slope(x * factor + offset);
          store(job.dz + place, dz, count);
          sum += dz;
          weighted += dz * (x - centre);
        }
        store(job.sum + i, sum, count);
        store(job.weighted + i, weighted, count);
      });
}

template <class T>
void affine_gradient(const AffineGradient<T>& job) {
  switch (job.resampling) {
    case Resampling::kKeep:
      return affine_gradient_of<Resampling::kKeep>(job);
    case Resampling::kHalve:
      return affine_gradient_of<Resampling::kHalve>(job);
    case Resampling::kDouble:
      return affine_gradient_of<Resampling::kDouble>(job);
  }
}

template <class T>
void combination(const Combination<T>& job) {
  for (int64_t pixel = 0; pixel < job.pixels; ++pixel) {
    T* const dz = job.dz + pixel * job.channels;
    const T* const x = job.x + pixel * job.channels;
    in_vectors(
        job.channels, SEXTANT_BODY {
          const Floats from_x = load(job.slope + i, count) * (load(x + i, count) - load(job.centre + i, count));
          store(dz + i, load(job.factor + i, count) * load(dz + i, count) + from_x + load(job.shift + i, count), count);
        });
  }
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
