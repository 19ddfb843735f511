// Randomness with one stream per sample.
//
// Every number is a pure function of (seed, sample, draw, element): Philox4x32-10 keyed by seed and sample, the counter
// made of draw and element, two normals per Box-Muller pair. What sample 17 looks like depends neither on the batch
// size, nor on the order of the work, nor on a restart.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant {

/// Which samples the rows of a batch are: row r is sample samples[r % size] under `seed`, its copy r / size. Without
/// samples the rows are counted.
struct SampleIds {
  uint64_t seed = 0;
  std::vector<int64_t> samples;               ///< global indices
  std::optional<double> time = std::nullopt;  ///< the t of all rows where the caller knows it: a GPU would have to be
                                              ///< waited for
};

class Noise {
 public:
  /// Streams of the samples `samples` (global indices) under `seed`; draws have shape [samples, shape...], float32, on
  /// `device`.
  Noise(uint64_t seed, std::vector<int64_t> samples, std::vector<int64_t> shape, at::Device device = at::kCPU);
  virtual ~Noise() = default;

  const SampleIds& ids() const { return ids_; }

  /// x_T: draw 0.
  virtual Tensor initial() { return normal(0); }
  /// The noise added at respaced step `step` >= 0: draw step + 1.
  virtual Tensor at_step(int64_t step) { return normal(static_cast<uint64_t>(step) + 1); }
  /// Standard normals of draw number `draw`.
  Tensor normal(uint64_t draw) const;
  /// Uniform numbers in [0, 1) of draw number `draw`. They share no bits with normals of another draw number.
  Tensor uniform(uint64_t draw) const;

 private:
  Tensor filled(void (*fill)(float* out, int64_t count, uint64_t key, uint64_t draw), uint64_t draw) const;

  SampleIds ids_;
  std::vector<int64_t> shape_;
  at::Device device_;
};

/// Uniform integers in [0, bound), one per sample index, from a stream of their own: random labels. UsageError for a
/// bound that is not from 1 to 2^32.
Tensor uniform_labels(uint64_t seed, const std::vector<int64_t>& samples, int64_t bound);

}  // namespace sextant
