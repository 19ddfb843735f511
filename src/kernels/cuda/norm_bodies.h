// Group norm with what surrounds it, channels last, as functions of a thread's number.
//
//   z = n w + b,  n = (x + added - mean) inverse,  w = weight (1 + scale),  b = bias (1 + scale) + shift
//   y = z or SiLU(z)
//
// No thread reads what another one of the same kernel writes and nothing is added atomically, so an image's result does
// not depend on its batch. Sums are float32, of distances from a number near the mean: no digits cancel.
#pragma once

#include "cuda/packs.h"

namespace sextant::kernels::cuda {

/// A thread's share of an image's pixels where it sums: about as many pixels as there are such chunks.
SEXTANT_HOST_DEVICE inline int64_t chunk_of(int64_t pixels) {
  int64_t chunk = 8;
  while (chunk * chunk < pixels) chunk *= 2;
  return chunk;
}
SEXTANT_HOST_DEVICE inline int64_t chunks_of(int64_t pixels) {
  return (pixels + chunk_of(pixels) - 1) / chunk_of(pixels);
}

/// And where it maps each number to another.
constexpr int kRows = 8;
SEXTANT_HOST_DEVICE inline int64_t row_groups(int64_t pixels) { return (pixels + kRows - 1) / kRows; }

struct Moments {
  float count, mean, m2;  ///< m2: sum of squared distances from the mean
};

/// Moments of what `part(0)` to `part(count - 1)` are the moments of.
template <class Part>
SEXTANT_HOST_DEVICE Moments merged(int64_t count, const Part& part) {
  const float centre = part(0).mean;
  float numbers = 0, sum = 0;
  for (int64_t k = 0; k < count; ++k) {
    const Moments one = part(k);
    numbers += one.count;
    sum += one.count * (one.mean - centre);
  }
  const float mean = sum / numbers;  // from the centre
  float m2 = 0;
  for (int64_t k = 0; k < count; ++k) {
    const Moments one = part(k);
    const float distance = one.mean - centre - mean;
    m2 += one.m2 + one.count * distance * distance;
  }
  return {numbers, centre + mean, m2};
}

/// What the norm does to a number of an image's channel.
struct Affine {
  float mean, inverse;   ///< n = (x - mean) inverse, `added` taken off the mean
  float factor, offset;  ///< z = n factor + offset
};

/// Affine [B, C] in memory: its numbers apart, so that a thread reads those of its channels at once.
struct Affines {
  float* numbers;  ///< [4, B, C]
  int64_t count;   ///< B C

  SEXTANT_HOST_DEVICE void set(int64_t i, Affine a) const {
    numbers[i] = a.mean;
    numbers[count + i] = a.inverse;
    numbers[2 * count + i] = a.factor;
    numbers[3 * count + i] = a.offset;
  }
  SEXTANT_HOST_DEVICE float factor(int64_t i) const { return numbers[2 * count + i]; }
};

/// The affines of kWidth channels.
template <int kWidth>
struct AffinePack {
  Pack<float, kWidth> mean, inverse, factor, offset;

  SEXTANT_HOST_DEVICE AffinePack(const Affines& from, int64_t i) {
    using Numbers = const Pack<float, kWidth>;
    mean = *reinterpret_cast<Numbers*>(from.numbers + i);
    inverse = *reinterpret_cast<Numbers*>(from.numbers + from.count + i);
    factor = *reinterpret_cast<Numbers*>(from.numbers + 2 * from.count + i);
    offset = *reinterpret_cast<Numbers*>(from.numbers + 3 * from.count + i);
  }
  SEXTANT_HOST_DEVICE Affine at(int k) const { return {mean.v[k], inverse.v[k], factor.v[k], offset.v[k]}; }
};

/// Parameters of a norm. Undefined ones are null; rows of `added`, of scale and of shift lie `stride` apart.
template <class M>
struct NormParameters {
  const float *weight, *bias;
  const M *added, *scale, *shift;
  int64_t groups, added_stride, scale_stride;
  float eps;
  bool silu;
};

/// Moments of kWidth channels over a chunk of pixels: out [B, chunks, C]; thread (n, chunk, pack).
template <class T, int kWidth>
struct ChunkMoments {
  Parts<T, kWidth> x;
  Moments* out;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto chunks = static_cast<uint32_t>(chunks_of(x.pixels));
    const uint32_t at = i / x.packs(), c = (i - at * x.packs()) * kWidth, n = at / chunks;
    const int64_t size = chunk_of(x.pixels), begin = (at - n * chunks) * size;
    const int64_t rows = begin + size < x.pixels ? size : x.pixels - begin, first = n * x.pixels + begin;
    float centre[kWidth], sum[kWidth] = {}, squares[kWidth] = {};
    const Pack<T, kWidth> start = x.at(first, c);
    for (int k = 0; k < kWidth; ++k) centre[k] = static_cast<float>(start.v[k]);
    SEXTANT_UNROLL(8)
    for (int64_t row = first; row < first + rows; ++row) {
      const Pack<T, kWidth> numbers = x.at(row, c);
      for (int k = 0; k < kWidth; ++k) {
        const float d = static_cast<float>(numbers.v[k]) - centre[k];
        sum[k] += d;
        squares[k] += d * d;
      }
    }
    const auto count = static_cast<float>(rows);
    for (int k = 0; k < kWidth; ++k) {
      const float mean = sum[k] / count, m2 = squares[k] - sum[k] * mean;
      out[at * x.channels + c + k] = {count, centre[k] + mean, m2 > 0 ? m2 : 0};
    }
  }
};

/// A channel's moments over its chunks: out [B, C]; thread (n, c).
struct ChannelMoments {
  const Moments* chunk;
  Moments* out;
  int64_t chunks, channels;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const uint32_t n = i / static_cast<uint32_t>(channels), c = i - n * static_cast<uint32_t>(channels);
    const Moments* const first = chunk + n * chunks * channels + c;
    out[i] = merged(chunks, [&](int64_t k) { return first[k * channels]; });
  }
};

/// The affine map of each channel from the moments of its group: out [B, C]; thread (n, c).
template <class M>
struct GroupAffine {
  const Moments* channel;
  Affines out;
  NormParameters<M> norm;
  int64_t channels;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto width = static_cast<uint32_t>(channels), size = width / static_cast<uint32_t>(norm.groups);
    const uint32_t n = i / width, c = i - n * width, first = c / size * size;
    const Moments all = merged(size, [&](int64_t k) {
      Moments one = channel[n * channels + first + k];
      if (norm.added) one.mean += static_cast<float>(norm.added[n * norm.added_stride + first + k]);
      return one;
    });
    const float inverse = 1 / sqrtf(all.m2 / all.count + norm.eps);
    const float added = norm.added ? static_cast<float>(norm.added[n * norm.added_stride + c]) : 0;
    const float scale = norm.scale ? 1 + static_cast<float>(norm.scale[n * norm.scale_stride + c]) : 1;
    const float shift = norm.shift ? static_cast<float>(norm.shift[n * norm.scale_stride + c]) : 0;
    out.set(i, {all.mean - added, inverse, norm.weight[c] * scale, norm.bias[c] * scale + shift});
  }
};

/// SiLU(z) or z.
template <class T>
SEXTANT_HOST_DEVICE inline float normalised(T x, Affine a, bool silu) {
  const float z = (static_cast<float>(x) - a.mean) * (a.inverse * a.factor) + a.offset;
  return silu ? z * sigmoid<T>(z) : z;
}

/// y [B, P, C]; thread (n, rows, pack).
template <class T, int kWidth>
struct Normalised {
  Parts<T, kWidth> x;
  Affines affine;
  T* y;
  bool silu;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto groups = static_cast<uint32_t>(row_groups(x.pixels));
    const uint32_t at = i / x.packs(), c = (i - at * x.packs()) * kWidth, n = at / groups;
    const int64_t begin = static_cast<int64_t>(at - n * groups) * kRows, first = n * x.pixels + begin;
    const int rows = begin + kRows < x.pixels ? kRows : static_cast<int>(x.pixels - begin);
    Pack<T, kWidth> numbers[kRows];
    SEXTANT_UNROLL_ALL
    for (int r = 0; r < kRows; ++r) {
      if (r < rows) numbers[r] = x.at(first + r, c);
    }
    const AffinePack<kWidth> a(affine, n * x.channels + c);
    SEXTANT_UNROLL_ALL
    for (int r = 0; r < kRows; ++r) {
      if (r >= rows) continue;
      for (int k = 0; k < kWidth; ++k) {
        numbers[r].v[k] = static_cast<T>(normalised(numbers[r].v[k], a.at(k), silu));
      }
      *reinterpret_cast<Pack<T, kWidth>*>(y + (first + r) * x.channels + c) = numbers[r];
    }
  }
};

/// The same, halved by the mean over 2x2 pixels or doubled by repetition; `affine.numbers` null: without the norm.
///
/// Thread (n, pixel, pack), of the smaller image: it has a 2x2 square of the larger one.
template <class T, int kWidth>
struct Resampled {
  Parts<T, kWidth> x;
  Affines affine;
  T* y;
  int64_t width;  ///< of the smaller image
  bool silu, doubles;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    const auto pixels = static_cast<uint32_t>(doubles ? x.pixels : x.pixels / 4);
    const uint32_t at = i / x.packs(), c = (i - at * x.packs()) * kWidth, n = at / pixels, p = at - n * pixels;
    const uint32_t row = p / static_cast<uint32_t>(width), column = p - row * static_cast<uint32_t>(width);
    // In the larger image, whose rows are twice as long.
    const int64_t corner = (static_cast<int64_t>(n) * pixels * 4) + 4 * row * width + 2 * column;
    const int64_t square[4] = {corner, corner + 1, corner + 2 * width, corner + 2 * width + 1};
    float sum[kWidth] = {};
    const int reads = doubles ? 1 : 4;
    SEXTANT_UNROLL_ALL
    for (int r = 0; r < 4; ++r) {
      if (r >= reads) continue;
      const Pack<T, kWidth> numbers = x.at(doubles ? static_cast<int64_t>(at) : square[r], c);
      if (!affine.numbers) {
        for (int k = 0; k < kWidth; ++k) sum[k] += static_cast<float>(numbers.v[k]);
        continue;
      }
      const AffinePack<kWidth> a(affine, n * x.channels + c);
      for (int k = 0; k < kWidth; ++k) sum[k] += normalised(numbers.v[k], a.at(k), silu);
    }
    Pack<T, kWidth> result;
    for (int k = 0; k < kWidth; ++k) result.v[k] = static_cast<T>(sum[k] / static_cast<float>(reads));
    const int writes = doubles ? 4 : 1;
    SEXTANT_UNROLL_ALL
    for (int r = 0; r < 4; ++r) {
      if (r >= writes) continue;
      const int64_t to = doubles ? square[r] : static_cast<int64_t>(at);
      *reinterpret_cast<Pack<T, kWidth>*>(y + to * x.channels + c) = result;
    }
  }
};

}  // namespace sextant::kernels::cuda
