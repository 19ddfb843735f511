#pragma once

#include "simd/vector.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

/// V vectors of channels from `channel` on, or as many channels as `count` says.
template <int V, class T>
SEXTANT_INLINE void moments_of_channels(const Moments<T>& job, int64_t channel, int64_t count) {
  Floats origin[V], sum[V] = {}, squares[V] = {};
  for (int i = 0; i < V; ++i) origin[i] = load(job.origin + channel + i * kWidth, count);
  const T* x = job.x + channel;
  for (int64_t pixel = 0; pixel < job.pixels; ++pixel, x += job.channels) {
#pragma GCC unroll 8
    for (int i = 0; i < V; ++i) {
      const Floats d = load(x + i * kWidth, count) - origin[i];
      sum[i] += d;
      squares[i] += d * d;
    }
  }
  for (int i = 0; i < V; ++i) {
    store(job.sum + channel + i * kWidth, sum[i], count);
    store(job.squares + channel + i * kWidth, squares[i], count);
  }
}

template <class T>
void moments(const Moments<T>& job) {
  int64_t channel = 0;
  for (; channel + 4 * kWidth <= job.channels; channel += 4 * kWidth) moments_of_channels<4>(job, channel, kWidth);
  in_vectors(
      job.channels - channel, SEXTANT_BODY { moments_of_channels<1>(job, channel + i, count); });
}

template <bool kSilu, class T>
SEXTANT_INLINE Floats affine_at(const Affine<T>& job, const T* pixel, int64_t channel, int64_t count) {
  const Floats value =
      load(pixel + channel, count) * load(job.factor + channel, count) + load(job.offset + channel, count);
  return kSilu ? silu(value) : value;
}

template <bool kSilu, class T>
void affine_keep(const Affine<T>& job) {
  for (int64_t pixel = job.first_row * job.width; pixel < job.last_row * job.width; ++pixel) {
    const T* const x = job.x + pixel * job.channels;
    T* const y = job.y + pixel * job.y_stride;
    in_vectors(
        job.channels, SEXTANT_BODY { store(y + i, affine_at<kSilu>(job, x, i, count), count); });
  }
}

template <bool kSilu, class T>
void affine_halve(const Affine<T>& job) {
  const int64_t width = job.width / 2;
  for (int64_t row = job.first_row; row < job.last_row; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const T* const x = job.x + 2 * (row * job.width + column) * job.channels;
      const T* const below = x + job.width * job.channels;
      T* const y = job.y + (row * width + column) * job.y_stride;
      in_vectors(
          job.channels, SEXTANT_BODY {
            Floats sum = affine_at<kSilu>(job, x, i, count) + affine_at<kSilu>(job, x + job.channels, i, count);
            sum += affine_at<kSilu>(job, below, i, count) + affine_at<kSilu>(job, below + job.channels, i, count);
            store(y + i, sum * 0.25f, count);
          });
    }
  }
}

template <bool kSilu, class T>
void affine_double(const Affine<T>& job) {
  for (int64_t row = job.first_row; row < job.last_row; ++row) {
    for (int64_t column = 0; column < job.width; ++column) {
      const T* const x = job.x + (row * job.width + column) * job.channels;
      T* const y = job.y + 2 * (2 * row * job.width + column) * job.y_stride;
      T* const below = y + 2 * job.width * job.y_stride;
      in_vectors(
          job.channels, SEXTANT_BODY {
            const Floats value = affine_at<kSilu>(job, x, i, count);
            store(y + i, value, count);
            store(y + job.y_stride + i, value, count);
            store(below + i, value, count);
            store(below + job.y_stride + i, value, count);
          });
    }
  }
}

template <bool kSilu, class T>
void affine_pixels(const Affine<T>& job) {
  switch (job.resampling) {
    case Resampling::kKeep:
      return affine_keep<kSilu>(job);
    case Resampling::kHalve:
      return affine_halve<kSilu>(job);
    case Resampling::kDouble:
      return affine_double<kSilu>(job);
  }
}

template <class T>
void affine(const Affine<T>& job) {
  job.silu ? affine_pixels<true>(job) : affine_pixels<false>(job);
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
