// Sets of images that several processes embed and score together. Each calls the same functions, and all get the whole.
#pragma once

#include "internal/distributed/group.h"
#include "sextant/evaluation/evaluate.h"

namespace sextant::evaluation {

/// embed() by the processes of `group`, each a share of the images: moments are added in float64, the other rows stand
/// in the order of the images. Nothing when any of them was stopped.
std::optional<Embedding> embed(const data::ImageSet& images, const std::string& source,
                               const FeatureExtractor& extractor, const EmbedOptions& options,
                               distributed::Group& group, Progress& progress, const Stop& stop);

/// open_reference(): the first process looks for a cache and writes it.
std::optional<Embedding> open_reference(const std::filesystem::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& options, const ReferenceOptions& wanted,
                                        distributed::Group& group, Progress& progress, const Stop& stop);

/// evaluate(): rows of distances between images are shared, the rest is the first process's, and so is the result; the
/// others' lacks most measures.
std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   distributed::Group& group, Progress& progress, const Stop& stop);

}  // namespace sextant::evaluation
