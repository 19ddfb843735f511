#include "statistics_file.h"

#include <cstring>

#include "sextant/checkpoint/npz.h"
#include "sextant/runtime/error.h"

namespace sextant::metrics {
namespace {

constexpr const char* kExtractor = "extractor";
constexpr const char* kCount = "count";
constexpr const char* kFeatures = "arr_0";

/// Refuses statistics that say they are another network's.
void check_extractor(const std::filesystem::path& path, const checkpoint::NpzReader& file,
                     const FeatureExtractor& extractor) {
  if (!file.contains(kExtractor)) return;
  const Tensor digits = file.read(kExtractor).to(at::kByte).contiguous();
  const std::string hash(reinterpret_cast<const char*>(digits.data_ptr<uint8_t>()),
                         static_cast<size_t>(digits.numel()));
  if (hash == extractor.hash) return;
  throw UsageError(path.string() + " holds statistics of another extractor (" + hash.substr(0, 12) + ") than " +
                   extractor.name + " (" + extractor.hash.substr(0, 12) +
                   "): same weights, precision and protocol are needed; embed the reference images again");
}

}  // namespace

void save_statistics(const std::filesystem::path& path, const Embedding& embedding, const FeatureExtractor& extractor,
                     bool with_features) {
  checkpoint::NpzWriter file(path);
  file.add("mu", embedding.pool.mean);
  file.add("sigma", embedding.pool.covariance);
  if (embedding.spatial) {
    file.add("mu_s", embedding.spatial->mean);
    file.add("sigma_s", embedding.spatial->covariance);
  }
  file.add(kCount, at::tensor({embedding.count}, at::kLong));
  std::vector<uint8_t> digits(extractor.hash.begin(), extractor.hash.end());
  file.add(kExtractor, at::tensor(digits, at::kByte));
  if (with_features && embedding.features.defined()) file.add(kFeatures, embedding.features);
  file.close();
}

Embedding read_statistics_file(const std::filesystem::path& path, const FeatureExtractor& extractor) {
  const data::ReferenceStatistics statistics = data::read_statistics(path);
  Embedding embedding;
  embedding.source = path.string();
  embedding.pool = {statistics.pool.mean, statistics.pool.covariance, 0};
  if (statistics.spatial.mean.defined()) {
    embedding.spatial = Gaussian{statistics.spatial.mean, statistics.spatial.covariance, 0};
  }
  try {
    const checkpoint::NpzReader file(path);
    check_extractor(path, file, extractor);
    if (file.contains(kCount)) {
      const Tensor count = file.read(kCount);
      if (count.numel() != 1) throw DataError(path.string() + ": count is not one number");
      embedding.count = embedding.pool.count = count.to(at::kLong).item<int64_t>();
    }
    if (file.contains(kFeatures) && file.shape(kFeatures).size() == 2) {
      const Tensor features = file.read(kFeatures);
      if (!at::isFloatingType(features.scalar_type()) || features.size(1) != embedding.pool.mean.size(0)) {
        throw DataError(c10::str(path.string(), ": arr_0 is ", features.scalar_type(), " ", features.sizes(),
                                 ", expected features [N, ", embedding.pool.mean.size(0), "] or images"));
      }
      embedding.features = features.to(at::kFloat);
    }
  } catch (const CheckpointError& problem) {
    throw DataError(problem.what());
  }
  return embedding;
}

}  // namespace sextant::metrics
