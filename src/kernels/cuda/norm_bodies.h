// Group norm with what surrounds it, channels last, as functions of a thread's number.
//
//   z = n w + b,  n = (x + added - mean) inverse,  w = weight (1 + scale),  b = bias (1 + scale) + shift
//   y = z or SiLU(z)
//   dx = inverse (w dz - (sum w dz + n sum w dz n) / M),  dz = dy SiLU'(z), the sums over the M numbers of a group
//
// Plain C++ without a library: nvcc makes kernels of it, g++ tests them. No thread reads what another one of the same
// kernel writes and nothing is added atomically, so an image's result does not depend on its batch. Sums are float32,
// shifted by a pixel of their channel and merged pairwise as Chan et al. 1983 do: no digits cancel.
#pragma once

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define SEXTANT_HOST_DEVICE __host__ __device__
#else
#define SEXTANT_HOST_DEVICE
#endif

namespace sextant::kernels::cuda {

/// A thread's share of an image's pixels.
constexpr int64_t kPixels = 64;

/// Images [B, P, C] in one or two parts, which stand for their concatenation along the channels.
template <class T>
struct Parts {
  const T* first;
  const T* second;  ///< or null
  int64_t first_channels, channels, pixels;

  SEXTANT_HOST_DEVICE float at(int64_t n, int64_t p, int64_t c) const {
    const int64_t row = n * pixels + p;
    if (c < first_channels) return static_cast<float>(first[row * first_channels + c]);
    return static_cast<float>(second[row * (channels - first_channels) + c - first_channels]);
  }
  SEXTANT_HOST_DEVICE int64_t chunks() const { return (pixels + kPixels - 1) / kPixels; }
};

struct Moments {
  float count, mean, m2;  ///< m2: sum of squared distances from the mean
};

SEXTANT_HOST_DEVICE inline Moments merged(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0) return a;
  const float distance = b.mean - a.mean, share = b.count / count;
  return {count, a.mean + distance * share, a.m2 + b.m2 + distance * distance * a.count * share};
}

SEXTANT_HOST_DEVICE inline float sigmoid(float z) { return 1 / (1 + expf(-z)); }

/// Per image and channel, what the norm does to a number: [B, C].
struct Affine {
  float mean, inverse;   ///< n = (x - mean) inverse, `added` taken off the mean
  float factor, offset;  ///< z = n factor + offset
};

/// Parameters of a norm. Undefined ones are null; all are float32, scale and shift with rows `stride` apart.
struct NormParameters {
  const float *weight, *bias, *added, *scale, *shift;
  int64_t groups, added_stride, scale_stride;
  float eps;
  bool silu;
};

// ---- forward --------------------------------------------------------------------------------------------------------

/// Moments of one channel over a chunk of pixels: out [B, chunks, C]; thread (n, chunk, c).
template <class T>
struct ChunkMoments {
  Parts<T> x;
  Moments* out;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % x.channels, chunk = i / x.channels % x.chunks(), n = i / x.channels / x.chunks();
    const int64_t begin = chunk * kPixels, end = begin + kPixels < x.pixels ? begin + kPixels : x.pixels;
    const float centre = x.at(n, begin, c);
    float sum = 0, squares = 0;
    for (int64_t p = begin; p < end; ++p) {
      const float d = x.at(n, p, c) - centre;
      sum += d;
      squares += d * d;
    }
    const auto count = static_cast<float>(end - begin);
    const float m2 = squares - sum * (sum / count);
    out[i] = {count, centre + sum / count, m2 > 0 ? m2 : 0};
  }
};

/// A channel's moments over its chunks: out [B, C]; thread (n, c).
struct ChannelMoments {
  const Moments* chunk;
  Moments* out;
  int64_t chunks, channels;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, n = i / channels;
    Moments all = {0, 0, 0};
    for (int64_t k = 0; k < chunks; ++k) all = merged(all, chunk[(n * chunks + k) * channels + c]);
    out[i] = all;
  }
};

/// The affine map of each channel from the moments of its group: out [B, C]; thread (n, c).
struct GroupAffine {
  const Moments* channel;
  Affine* out;
  NormParameters norm;
  int64_t channels;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, n = i / channels, size = channels / norm.groups, first = c / size * size;
    Moments all = {0, 0, 0};
    for (int64_t k = first; k < first + size; ++k) {
      Moments one = channel[n * channels + k];
      if (norm.added) one.mean += norm.added[n * norm.added_stride + k];
      all = merged(all, one);
    }
    const float inverse = 1 / sqrtf(all.m2 / all.count + norm.eps);
    const float added = norm.added ? norm.added[n * norm.added_stride + c] : 0;
    const float scale = norm.scale ? 1 + norm.scale[n * norm.scale_stride + c] : 1;
    const float shift = norm.shift ? norm.shift[n * norm.scale_stride + c] : 0;
    out[i] = {all.mean - added, inverse, norm.weight[c] * scale, norm.bias[c] * scale + shift};
  }
};

/// y [B, P, C]; thread (n, p, c).
template <class T>
struct Normalised {
  Parts<T> x;
  const Affine* affine;
  T* y;
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % x.channels, row = i / x.channels, n = row / x.pixels;
    const Affine a = affine[n * x.channels + c];
    const float z = (x.at(n, row % x.pixels, c) - a.mean) * a.inverse * a.factor + a.offset;
    y[i] = static_cast<T>(silu ? z * sigmoid(z) : z);
  }
};

// ---- backward, of images --------------------------------------------------------------------------------------------

/// dy SiLU'(z) and n, of one number.
struct Slope {
  float dz, n;
};
SEXTANT_HOST_DEVICE inline Slope slope(float x, float dy, Affine a, bool silu) {
  const float n = (x - a.mean) * a.inverse, z = n * a.factor + a.offset;
  if (!silu) return {dy, n};
  const float s = sigmoid(z);
  return {dy * s * (1 + z * (1 - s)), n};
}

struct Sums {
  float dz, dz_n;
};

/// Sums over a chunk of pixels of one channel: out [B, chunks, C]; thread (n, chunk, c).
template <class T>
struct ChunkSums {
  Parts<T> x;
  const T* dy;
  const Affine* affine;
  Sums* out;
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % x.channels, chunk = i / x.channels % x.chunks(), n = i / x.channels / x.chunks();
    const int64_t begin = chunk * kPixels, end = begin + kPixels < x.pixels ? begin + kPixels : x.pixels;
    const Affine a = affine[n * x.channels + c];
    Sums sums = {0, 0};
    for (int64_t p = begin; p < end; ++p) {
      const float g = static_cast<float>(dy[(n * x.pixels + p) * x.channels + c]);
      const Slope s = slope(x.at(n, p, c), g, a, silu);
      sums.dz += s.dz;
      sums.dz_n += s.dz * s.n;
    }
    out[i] = sums;
  }
};

/// A channel's sums over its chunks: out [B, C]; thread (n, c).
struct ChannelSums {
  const Sums* chunk;
  Sums* out;
  int64_t chunks, channels;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, n = i / channels;
    Sums all = {0, 0};
    for (int64_t k = 0; k < chunks; ++k) {
      const Sums one = chunk[(n * chunks + k) * channels + c];
      all.dz += one.dz;
      all.dz_n += one.dz_n;
    }
    out[i] = all;
  }
};

/// Sums of w dz and w dz n over the group of each channel, divided by M: out [B, C]; thread (n, c).
struct GroupSums {
  const Sums* channel;
  const Affine* affine;
  Sums* out;
  int64_t channels, groups, pixels;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, n = i / channels, size = channels / groups, first = c / size * size;
    Sums all = {0, 0};
    for (int64_t k = n * channels + first; k < n * channels + first + size; ++k) {
      all.dz += affine[k].factor * channel[k].dz;
      all.dz_n += affine[k].factor * channel[k].dz_n;
    }
    const float M = static_cast<float>(pixels) * static_cast<float>(size);
    out[i] = {all.dz / M, all.dz_n / M};
  }
};

/// dx of all parts; thread (n, p, c).
template <class T>
struct Gradient {
  Parts<T> x;
  const T* dy;
  const Affine* affine;
  const Sums* group;
  T* first;
  T* second;  ///< or null
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % x.channels, row = i / x.channels, n = row / x.pixels;
    const Affine a = affine[n * x.channels + c];
    const Sums mean = group[n * x.channels + c];
    const Slope s = slope(x.at(n, row % x.pixels, c), static_cast<float>(dy[i]), a, silu);
    const float dx = a.inverse * (a.factor * s.dz - (mean.dz + s.n * mean.dz_n));
    if (c < x.first_channels) {
      first[row * x.first_channels + c] = static_cast<T>(dx);
    } else {
      second[row * (x.channels - x.first_channels) + c - x.first_channels] = static_cast<T>(dx);
    }
  }
};

}  // namespace sextant::kernels::cuda
