// The numbers behind all noise, the same on a CPU and on a GPU: Philox4x32-10 (Salmon et al. 2011, "Parallel random
// numbers: as easy as 1, 2, 3") and the Box-Muller transform. Plain C++ without a library, which nvcc compiles too.
#pragma once

#include <cmath>
#include <cstdint>

#include "internal/runtime/host_device.h"

namespace sextant::philox {

struct Block {
  uint32_t word[4];
};

SEXTANT_HOST_DEVICE inline Block block(Block counter, uint64_t key) {
  auto key0 = static_cast<uint32_t>(key);
  auto key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter.word[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter.word[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

/// Mixes seed and sample into one key: neighbouring samples share no bits.
SEXTANT_HOST_DEVICE inline uint64_t stream_key(uint64_t seed, int64_t sample) {
  const auto number = static_cast<uint64_t>(sample);
  const Block mixed =
      block({{static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), 0x73657874, 0x616e7400}}, seed);
  return (uint64_t{mixed.word[1]} << 32) | mixed.word[0];
}

/// The bits of elements 4 i to 4 i + 3 of draw number `draw`.
SEXTANT_HOST_DEVICE inline Block bits(int64_t i, uint64_t key, uint64_t draw) {
  const auto number = static_cast<uint64_t>(i);
  return block({{static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), static_cast<uint32_t>(draw),
                 static_cast<uint32_t>(draw >> 32)}},
               key);
}

/// (0, 1), never either end.
SEXTANT_HOST_DEVICE inline double open_uniform(uint32_t word) { return (word + 0.5) * 0x1p-32; }

/// [0, 1) with 24 bits: what a float32 holds exactly.
SEXTANT_HOST_DEVICE inline float uniform(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Two standard normals of two words, computed in float64 and rounded once: two libraries that differ in the last digit
/// of a float64 differ by at most the last bit of a float32, and rarely by that.
SEXTANT_HOST_DEVICE inline void normal_pair(uint32_t first, uint32_t second, float pair[2]) {
  constexpr double kTwoPi = 6.283185307179586;
  const double radius = std::sqrt(-2 * std::log(open_uniform(first)));
  const double angle = kTwoPi * open_uniform(second);
  pair[0] = static_cast<float>(radius * std::cos(angle));
  pair[1] = static_cast<float>(radius * std::sin(angle));
}

/// Elements 4 i to 4 i + 3 of a draw of `count` numbers at `out`.
SEXTANT_HOST_DEVICE inline void four_normals(float* out, int64_t count, int64_t i, uint64_t key, uint64_t draw) {
  const Block words = bits(i, key, draw);
  for (int pair = 0; pair < 2; ++pair) {
    float two[2];
    normal_pair(words.word[2 * pair], words.word[2 * pair + 1], two);
    const int64_t at = 4 * i + 2 * pair;
    if (at < count) out[at] = two[0];
    if (at + 1 < count) out[at + 1] = two[1];
  }
}

SEXTANT_HOST_DEVICE inline void four_uniforms(float* out, int64_t count, int64_t i, uint64_t key, uint64_t draw) {
  const Block words = bits(i, key, draw);
  for (int k = 0; k < 4; ++k) {
    if (4 * i + k < count) out[4 * i + k] = uniform(words.word[k]);
  }
}

/// What thread `at` of a draw of n rows does: four numbers of row at / blocks, where a row has `blocks` fours.
template <void (*kFour)(float*, int64_t, int64_t, uint64_t, uint64_t)>
SEXTANT_HOST_DEVICE inline void fill_at(int64_t at, float* out, const int64_t* samples, int64_t count, uint64_t seed,
                                        uint64_t draw) {
  const int64_t blocks = (count + 3) / 4;
  const int64_t row = at / blocks;
  kFour(out + row * count, count, at % blocks, stream_key(seed, samples[row]), draw);
}

}  // namespace sextant::philox
