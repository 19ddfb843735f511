#pragma once

#include "simd/gemm.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

/// Turns the first `keys` numbers of each row into e^(s - maximum) and writes 1 / their sum.
void exponentials(float* s, int64_t rows, int64_t keys, float* inverse_sum) {
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](int64_t key) { return s + key / kStrip * rows * kStrip + row * kStrip + key % kStrip; };
    Floats highest = splat(*at(0));
    in_vectors(
        keys, SEXTANT_BODY {
          const Floats s = count < kWidth ? first_lanes(load(at(i)), count, highest) : load(at(i));
          highest = s > highest ? s : highest;
        });
    const float maximum = largest_lane(highest);
    Floats sum = {};
    in_vectors(
        keys, SEXTANT_BODY {
          Floats power = exp(load(at(i)) - maximum);
          if (count < kWidth) power = first_lanes(power, count, Floats{});
          store(at(i), power);
          sum += power;
        });
    const float total = sum_of_lanes(sum);
    inverse_sum[row] = 1.0f / total;
  }
}

void attention(const Attention& job) {
  const int64_t blocks = (job.queries + kRows - 1) / kRows;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block_start(job.queries, blocks, block);
    const int64_t rows = block_start(job.queries, blocks, block + 1) - begin;
    float* const q = job.scratch;
    float* const s = q + rows * in_strips(job.depth);
    to_strips(job.q + begin * job.depth, rows, job.depth, job.depth, q);
    for (int64_t key = 0; key < job.keys; key += kPanel) {
      float* const place = s + key / kStrip * rows * kStrip + key % kStrip;
      product<float>({q, job.k + key * job.depth, place, rows, job.depth, kStrip, false});
    }
    float inverse_sum[kRows];
    exponentials(s, rows, job.keys, inverse_sum);
    for (int64_t channel = 0; channel < job.depth; channel += kPanel) {
      float sums[kRows * kPanel];
      product<float>({s, job.v + channel * job.keys, sums, rows, job.keys, kPanel, false});
      const int64_t channels = job.depth - channel < kPanel ? job.depth - channel : kPanel;
      for (int64_t row = 0; row < rows; ++row) {
        float* const y = job.y + (begin + row) * job.y_stride + channel;
        in_vectors(
            channels, SEXTANT_BODY { store(y + i, load(sums + row * kPanel + i) * inverse_sum[row], count); });
      }
    }
  }
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
