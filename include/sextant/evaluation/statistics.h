// Statistics of a set's features in an .npz: what pytorch-fid, EDM and OpenAI's evaluator write and read.
//
//   mu, sigma      mean [D] and covariance [D, D]
//   mu_s, sigma_s  those of the spatial features, for sFID
//   count          images behind them
//   extractor      uint8: the digits of FeatureExtractor::hash
//   arr_0          features [N, D], or images, as in OpenAI's reference batches
//
// All throw DataError that names the file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sextant/metrics/gaussian.h"

namespace sextant::evaluation {

struct Statistics {
  metrics::Gaussian pool;  ///< float64; its count is 0 where the file does not say
  std::optional<metrics::Gaussian> spatial;
  std::string extractor;  ///< hash of the network behind them; "" where the file does not say
  Tensor features;        ///< [N, D] float32, or undefined
};

/// Whether `path` is an .npz with mu or sigma in it.
bool has_statistics(const std::filesystem::path& path);

/// Float32 statistics are widened. Throws also for NaN, infinity and shapes that do not fit together.
Statistics read_statistics(const std::filesystem::path& path);

void save_statistics(const std::filesystem::path& path, const Statistics& statistics);

}  // namespace sextant::evaluation
