// The gradient of group norm in its images, as functions of a thread's number; in the notation of norm_bodies.h
//
//   dx = inverse (w dz - (sum w dz + n sum w dz n) / M),  dz = dy SiLU'(z), the sums over the M numbers of a group
#pragma once

#include "cuda/norm_bodies.h"

namespace sextant::kernels::cuda {

/// dy SiLU'(z) and n, of one number.
struct Slope {
  float dz, n;
};
template <class T>
SEXTANT_HOST_DEVICE inline Slope slope(T x, T dy, Affine a, bool silu) {
  const float n = (static_cast<float>(x) - a.mean) * a.inverse, z = n * a.factor + a.offset;
  if (!silu) return {static_cast<float>(dy), n};
  const float s = sigmoid<T>(z);
  return {static_cast<float>(dy) * s * (1 + z * (1 - s)), n};
}

struct Sums {
  float dz, dz_n;
};

/// Sums over a chunk of pixels of kWidth channels: out [B, chunks, C]; thread (n, chunk, pack).
template <class T, int kWidth>
struct ChunkSums {
  Parts<T, kWidth> x;
  const T* dy;
  Affines affine;
  Sums* out;
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto chunks = static_cast<uint32_t>(chunks_of(x.pixels));
    const uint32_t at = i / x.packs(), c = (i - at * x.packs()) * kWidth, n = at / chunks;
    const int64_t size = chunk_of(x.pixels), begin = (at - n * chunks) * size;
    const int64_t rows = begin + size < x.pixels ? size : x.pixels - begin, first = n * x.pixels + begin;
    const AffinePack<kWidth> a(affine, n * x.channels + c);
    Sums sums[kWidth] = {};
    SEXTANT_UNROLL(4)
    for (int64_t row = first; row < first + rows; ++row) {
      const Pack<T, kWidth> numbers = x.at(row, c);
      const auto slopes = *reinterpret_cast<const Pack<T, kWidth>*>(dy + row * x.channels + c);
      for (int k = 0; k < kWidth; ++k) {
        const Slope s = slope(numbers.v[k], slopes.v[k], a.at(k), silu);
        sums[k].dz += s.dz;
        sums[k].dz_n += s.dz * s.n;
      }
    }
    for (int k = 0; k < kWidth; ++k) out[at * x.channels + c + k] = sums[k];
  }
};

/// A channel's sums over its chunks: out [B, C]; thread (n, c).
struct ChannelSums {
  const Sums* chunk;
  Sums* out;
  int64_t chunks, channels;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const uint32_t n = i / static_cast<uint32_t>(channels), c = i - n * static_cast<uint32_t>(channels);
    const Sums* const first = chunk + n * chunks * channels + c;
    Sums all = {0, 0};
    SEXTANT_UNROLL(8)
    for (int64_t k = 0; k < chunks; ++k) {
      const Sums one = first[k * channels];
      all.dz += one.dz;
      all.dz_n += one.dz_n;
    }
    out[i] = all;
  }
};

/// Sums of w dz and w dz n over the group of each channel, divided by M: out [B, C]; thread (n, c).
struct GroupSums {
  const Sums* channel;
  Affines affine;
  Sums* out;
  int64_t channels, groups, pixels;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto width = static_cast<uint32_t>(channels), size = width / static_cast<uint32_t>(groups);
    const uint32_t n = i / width, c = i - n * width, first = n * width + c / size * size;
    Sums all = {0, 0};
    for (uint32_t k = first; k < first + size; ++k) {
      all.dz += affine.factor(k) * channel[k].dz;
      all.dz_n += affine.factor(k) * channel[k].dz_n;
    }
    const float M = static_cast<float>(pixels) * static_cast<float>(size);
    out[i] = {all.dz / M, all.dz_n / M};
  }
};

/// dx of all parts; thread (n, rows, pack).
template <class T, int kWidth>
struct Gradient {
  Parts<T, kWidth> x;
  const T* dy;
  Affines affine;
  const Sums* group;
  T* first;
  T* second;  ///< or null
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto groups = static_cast<uint32_t>(row_groups(x.pixels));
    const uint32_t at = i / x.packs(), c = (i - at * x.packs()) * kWidth, n = at / groups;
    const int64_t begin = static_cast<int64_t>(at - n * groups) * kRows, row = n * x.pixels + begin;
    const int rows = begin + kRows < x.pixels ? kRows : static_cast<int>(x.pixels - begin);
    const AffinePack<kWidth> a(affine, n * x.channels + c);
    Sums mean[kWidth];
    for (int k = 0; k < kWidth; ++k) mean[k] = group[n * x.channels + c + k];
    SEXTANT_UNROLL(4)
    for (int r = 0; r < rows; ++r) {
      Pack<T, kWidth> numbers = x.at(row + r, c);
      const auto slopes = *reinterpret_cast<const Pack<T, kWidth>*>(dy + (row + r) * x.channels + c);
      for (int k = 0; k < kWidth; ++k) {
        const Slope s = slope(numbers.v[k], slopes.v[k], a.at(k), silu);
        numbers.v[k] = static_cast<T>(a.inverse.v[k] * (a.factor.v[k] * s.dz - (mean[k].dz + s.n * mean[k].dz_n)));
      }
      *reinterpret_cast<Pack<T, kWidth>*>(place(row + r, c)) = numbers;
    }
  }

 private:
  SEXTANT_HOST_DEVICE T* place(int64_t row, int64_t c) const {
    return c < x.first_channels ? first + row * x.first_channels + c
                                : second + row * (x.channels - x.first_channels) + c - x.first_channels;
  }
};

}  // namespace sextant::kernels::cuda
