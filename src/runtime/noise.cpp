#include "sextant/runtime/noise.h"

#include <ATen/Parallel.h>

#include <array>
#include <cmath>

namespace sextant {
namespace {

using Block = std::array<uint32_t, 4>;

/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
Block philox(Block counter, uint64_t key) {
  uint32_t key0 = static_cast<uint32_t>(key);
  uint32_t key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

/// Mixes seed and sample into one key: neighbouring samples share no bits.
uint64_t stream_key(uint64_t seed, int64_t sample) {
  const Block mixed = philox({static_cast<uint32_t>(sample), static_cast<uint32_t>(static_cast<uint64_t>(sample) >> 32),
                              0x73657874, 0x616e7400},
                             seed);
  return (uint64_t{mixed[1]} << 32) | mixed[0];
}

/// (0, 1), never either end.
double uniform(uint32_t bits) { return (bits + 0.5) * 0x1p-32; }

void fill_normal(float* out, int64_t count, uint64_t key, uint64_t draw) {
  constexpr double kTwoPi = 6.283185307179586;
  for (int64_t i = 0; i < count; i += 4) {
    const uint64_t block = static_cast<uint64_t>(i / 4);
    const Block bits = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                               static_cast<uint32_t>(draw), static_cast<uint32_t>(draw >> 32)},
                              key);
    for (int pair = 0; pair < 2; ++pair) {
      const double radius = std::sqrt(-2 * std::log(uniform(bits[2 * pair])));
      const double angle = kTwoPi * uniform(bits[2 * pair + 1]);
      const int64_t at = i + 2 * pair;
      if (at < count) out[at] = static_cast<float>(radius * std::cos(angle));
      if (at + 1 < count) out[at + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

void fill_uniform(float* out, int64_t count, uint64_t key, uint64_t draw) {
  for (int64_t i = 0; i < count; i += 4) {
    const uint64_t block = static_cast<uint64_t>(i / 4);
    const Block bits = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                               static_cast<uint32_t>(draw), static_cast<uint32_t>(draw >> 32)},
                              key);
    // 24 bits: what a float32 holds exactly.
    for (int64_t k = 0; k < std::min<int64_t>(4, count - i); ++k) {
      out[i + k] = static_cast<float>(bits[static_cast<std::size_t>(k)] >> 8) * 0x1p-24f;
    }
  }
}

}  // namespace

Noise::Noise(uint64_t seed, std::vector<int64_t> samples, std::vector<int64_t> shape, at::Device device)
    : ids_{seed, std::move(samples)}, shape_(std::move(shape)), device_(device) {}

Tensor Noise::normal(uint64_t draw) const { return filled(fill_normal, draw); }

Tensor Noise::uniform(uint64_t draw) const { return filled(fill_uniform, draw); }

Tensor Noise::filled(void (*fill)(float*, int64_t, uint64_t, uint64_t), uint64_t draw) const {
  std::vector<int64_t> shape = shape_;
  const auto samples = static_cast<int64_t>(ids_.samples.size());
  shape.insert(shape.begin(), samples);
  const Tensor result = at::empty(shape, at::kFloat);
  const int64_t per_sample = samples == 0 ? 0 : result.numel() / samples;
  float* data = result.data_ptr<float>();
  at::parallel_for(0, samples, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      fill(data + n * per_sample, per_sample, stream_key(ids_.seed, ids_.samples[static_cast<std::size_t>(n)]), draw);
    }
  });
  return result.to(device_);
}

Tensor uniform_labels(uint64_t seed, const std::vector<int64_t>& samples, int64_t bound) {
  const Tensor labels = at::empty({static_cast<int64_t>(samples.size())}, at::kLong);
  int64_t* data = labels.data_ptr<int64_t>();
  for (std::size_t n = 0; n < samples.size(); ++n) {
    // A draw number no trajectory reaches.
    const Block bits = philox({0, 0, 0xFFFFFFFF, 0xFFFFFFFF}, stream_key(seed, samples[n]));
    data[n] = static_cast<int64_t>((uint64_t{bits[0]} * static_cast<uint64_t>(bound)) >> 32);
  }
  return labels;
}

}  // namespace sextant
