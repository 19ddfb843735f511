// The set that samples are compared with: its statistics, and its features where they are needed.
#pragma once

#include <filesystem>
#include <optional>

#include "sextant/evaluation/embed.h"
#include "sextant/evaluation/statistics.h"

namespace sextant::evaluation {

/// What a file keeps of an embedding, with its features or without.
Statistics statistics_of(const Embedding& embedding, const FeatureExtractor& extractor, bool with_features);

struct ReferenceOptions {
  bool need_features = true;  ///< for precision, recall and KID
  bool cache = true;          ///< keep what was embedded beside the reference, where that can be written
};

/// A reference from statistics (.npz with mu and sigma; its arr_0, images or features, serves where features are
/// needed), or from any set of images, embedded now or by an earlier run: the cache is a file beside the reference,
/// named by the contents of both. UsageError for statistics of another extractor, where the file says so or its width
/// shows it; DataError and NumericError as embed(); nothing when `stop` was requested.
std::optional<Embedding> open_reference(const std::filesystem::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& embedding, const ReferenceOptions& options,
                                        Progress& progress, const Stop& stop);

}  // namespace sextant::evaluation
