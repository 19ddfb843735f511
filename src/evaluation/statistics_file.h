// Statistics of a set in an .npz, as save_statistics() writes them.
#pragma once

#include "sextant/evaluation/evaluation.h"

namespace sextant::metrics {

/// What `path` holds: mu, sigma, mu_s, sigma_s, count, and arr_0 where it is a matrix of features. DataError for a file
/// that is damaged or not of statistics; UsageError where they are another extractor's.
Embedding read_statistics_file(const std::filesystem::path& path, const FeatureExtractor& extractor);

}  // namespace sextant::metrics
