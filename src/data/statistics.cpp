#include "files.h"
#include "sextant/checkpoint/npz.h"
#include "sextant/data/images.h"

namespace sextant::data {
namespace {

FeatureStatistics read_pair(const std::filesystem::path& path, const checkpoint::NpzReader& reader,
                            const std::string& mean, const std::string& covariance) {
  const auto read = [&](const std::string& name) {
    const Tensor array = reader.read(name);
    if (!at::isFloatingType(array.scalar_type())) throw bad_file(path, name + " is not of floating point");
    const Tensor wide = array.to(at::kDouble);
    if (!wide.isfinite().all().item<bool>()) throw bad_file(path, name + " has NaN or infinity in it");
    return wide;
  };
  const FeatureStatistics statistics{read(mean), read(covariance)};
  const int64_t d = statistics.mean.dim() == 1 ? statistics.mean.size(0) : 0;
  if (d == 0 || statistics.covariance.sizes() != at::IntArrayRef{d, d}) {
    throw bad_file(path, c10::str("expected ", mean, " [D] and ", covariance, " [D, D], got ", statistics.mean.sizes(),
                                  " and ", statistics.covariance.sizes()));
  }
  return statistics;
}

}  // namespace

bool has_statistics(const std::filesystem::path& path) try {
  const checkpoint::NpzReader reader(path);
  return reader.contains("mu") || reader.contains("sigma");
} catch (const CheckpointError&) {
  return false;
}

ReferenceStatistics read_statistics(const std::filesystem::path& path) try {
  const checkpoint::NpzReader reader(path);
  ReferenceStatistics statistics;
  statistics.pool = read_pair(path, reader, "mu", "sigma");
  if (reader.contains("mu_s") || reader.contains("sigma_s")) {
    statistics.spatial = read_pair(path, reader, "mu_s", "sigma_s");
  }
  return statistics;
} catch (const CheckpointError& problem) {
  throw DataError(problem.what());
}

}  // namespace sextant::data
