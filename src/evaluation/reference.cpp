#include "internal/evaluation/hash_of.h"
#include "internal/evaluation/shared.h"
#include "internal/runtime/content_hash.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

namespace fs = std::filesystem;

/// Statistics and features of the images at `path`, beside it: "faces.sextant-0123456789abcdef.npz".
fs::path cache_path(const fs::path& path, const FeatureExtractor& extractor, const EmbedOptions& options) {
  // What is read of a folder has changed since the first caches.
  constexpr const char* kReading = "3";
  ContentHash hash;
  hash.add(hash_of(path));
  hash.add(extractor.hash);
  hash.add(c10::str(kReading, " ", options.read.size, " ", options.read.crop, " ", options.resize));
  fs::path plain = path.lexically_normal();
  if (!plain.has_filename()) plain = plain.parent_path();
  return plain.parent_path() / (plain.filename().string() + ".sextant-" + hash.digits().substr(0, 16) + ".npz");
}

/// What the file says of its set. UsageError where it says that another network embedded it.
Embedding stored_embedding(const fs::path& path, const FeatureExtractor& extractor, int64_t dimensions,
                           Progress& progress) {
  Statistics stored = read_statistics(path, dimensions);
  if (!stored.note.empty()) progress.note("note: " + stored.note);
  if (!stored.extractor.empty() && stored.extractor != extractor.hash) {
    throw UsageError(path.string() + " holds statistics of another extractor (" + stored.extractor.substr(0, 12) +
                     ") than " + extractor.name + " (" + extractor.hash.substr(0, 12) +
                     "): the same weights, precision and protocol are needed, hashed by the same sextant; embed the "
                     "reference images "
                     "again");
  }
  Embedding embedding;
  embedding.source = path.string();
  embedding.count = stored.pool.count;
  embedding.pool = std::move(stored.pool);
  embedding.spatial = std::move(stored.spatial);
  embedding.features = std::move(stored.features);
  return embedding;
}

bool usable(const Embedding& cached, bool need_features) { return !need_features || cached.features.defined(); }

std::optional<Embedding> read_cache(const fs::path& cache, const FeatureExtractor& extractor, bool need_features,
                                    Progress& progress) {
  if (!fs::exists(cache)) return std::nullopt;
  try {
    Embedding cached = stored_embedding(cache, extractor, 0, progress);
    if (usable(cached, need_features)) return cached;
  } catch (const Error& problem) {
    progress.note(std::string("not using the cache: ") + problem.what());
  }
  return std::nullopt;
}

std::optional<Embedding> embed_cached(const fs::path& path, const FeatureExtractor& extractor,
                                      const EmbedOptions& options, const ReferenceOptions& wanted,
                                      distributed::Group& group, Progress& progress, const Stop& stop) {
  // What one process finds another may not, since the first one writes it.
  const fs::path cache = wanted.cache && group.leads() ? cache_path(path, extractor, options) : fs::path();
  std::optional<Embedding> cached;
  if (!cache.empty()) cached = read_cache(cache, extractor, wanted.need_features, progress);
  if (group.any(cached.has_value())) {
    if (!cached) cached.emplace();
    if (wanted.need_features) cached->features = group.gather(cached->features);
    cached->source = path.string();
    return cached;
  }
  const auto images = open_images_for(extractor, path, options.read);
  for (const std::string& line : images->notes()) progress.note("note: " + line);
  EmbedOptions kept = options;
  kept.keep_features = wanted.need_features;
  if (wanted.cache) kept.need_statistics = true;  // whatever is asked next finds them
  kept.classifier = {};                           // the samples are judged, not the reference
  auto embedding = embed(*images, path.string(), extractor, kept, group, progress, stop);
  // A set with gaps is not cached: the names of what was left out would be lost.
  if (!embedding || cache.empty() || !embedding->skipped.empty()) return embedding;
  try {
    save_statistics(cache, statistics_of(*embedding, extractor, /*with_features=*/true));
  } catch (const Error& problem) {
    progress.note(std::string("the reference is not cached: ") + problem.what());
  }
  return embedding;
}

}  // namespace

Statistics statistics_of(const Embedding& embedding, const FeatureExtractor& extractor, bool with_features) {
  Statistics statistics{embedding.pool, embedding.spatial, extractor.hash, {}, {}};
  statistics.pool.count = embedding.count;
  if (with_features) statistics.features = embedding.features;
  return statistics;
}

std::optional<Embedding> open_reference(const fs::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& options, const ReferenceOptions& wanted, Progress& progress,
                                        const Stop& stop) {
  distributed::Group alone;
  return open_reference(path, extractor, options, wanted, alone, progress, stop);
}

std::optional<Embedding> open_reference(const fs::path& path, const FeatureExtractor& extractor,
                                        const EmbedOptions& options, const ReferenceOptions& wanted,
                                        distributed::Group& group, Progress& progress, const Stop& stop) {
  if (!has_statistics(path)) return embed_cached(path, extractor, options, wanted, group, progress, stop);
  Embedding stored = stored_embedding(path, extractor, wanted.dimensions, progress);
  const bool images = path.extension() == ".npz" && checkpoint::NpzReader(path).contains("arr_0");
  if (!wanted.need_features || stored.features.defined() || !images) return stored;
  // OpenAI's reference batches: statistics of the whole set beside some of its images.
  auto embedded = embed_cached(path, extractor, options, wanted, group, progress, stop);
  if (!embedded) return std::nullopt;
  stored.features = embedded->features;
  return stored;
}

}  // namespace sextant::evaluation
