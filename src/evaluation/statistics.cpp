#include <c10/util/StringUtil.h>

#include "sextant/checkpoint/npz.h"
#include "sextant/evaluation/embed.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtractor = "extractor";
constexpr const char* kCount = "count";
constexpr const char* kFeatures = "arr_0";

DataError bad(const fs::path& path, const std::string& reason) { return DataError(path.string() + ": " + reason); }

metrics::Gaussian read_gaussian(const fs::path& path, const checkpoint::NpzReader& file, const std::string& mean,
                                const std::string& covariance) {
  const auto read = [&](const std::string& name) {
    const Tensor array = file.read(name);
    if (!at::isFloatingType(array.scalar_type())) throw bad(path, name + " is not of floating point");
    const Tensor wide = array.to(at::kDouble);
    if (!wide.isfinite().all().item<bool>()) throw bad(path, name + " has NaN or infinity in it");
    return wide;
  };
  const metrics::Gaussian gaussian{read(mean), read(covariance), 0};
  const int64_t d = gaussian.mean.dim() == 1 ? gaussian.mean.size(0) : 0;
  if (d == 0 || gaussian.covariance.sizes() != at::IntArrayRef{d, d}) {
    throw bad(path, c10::str("expected ", mean, " [D] and ", covariance, " [D, D], got ", gaussian.mean.sizes(),
                             " and ", gaussian.covariance.sizes()));
  }
  return gaussian;
}

int64_t read_count(const fs::path& path, const checkpoint::NpzReader& file) {
  if (!file.contains(kCount)) return 0;
  const Tensor count = file.read(kCount);
  if (count.numel() != 1) throw bad(path, "count is not one number");
  return count.to(at::kLong).item<int64_t>();
}

std::string read_extractor(const checkpoint::NpzReader& file) {
  if (!file.contains(kExtractor)) return "";
  const Tensor digits = file.read(kExtractor).to(at::kByte).contiguous();
  return {reinterpret_cast<const char*>(digits.data_ptr<uint8_t>()), static_cast<std::size_t>(digits.numel())};
}

/// arr_0 where it is a matrix; it may be the images of a reference batch as well.
Tensor read_features(const fs::path& path, const checkpoint::NpzReader& file, int64_t dimensions) {
  if (!file.contains(kFeatures) || file.shape(kFeatures).size() != 2) return {};
  const Tensor features = file.read(kFeatures);
  if (!at::isFloatingType(features.scalar_type()) || features.size(1) != dimensions) {
    throw bad(path, c10::str("arr_0 is ", features.scalar_type(), " ", features.sizes(), ", expected features [N, ",
                             dimensions, "] or images"));
  }
  return features.to(at::kFloat);
}

}  // namespace

bool has_statistics(const fs::path& path) try {
  const checkpoint::NpzReader file(path);
  return file.contains("mu") || file.contains("sigma");
} catch (const CheckpointError&) {
  return false;
}

Statistics read_statistics(const fs::path& path) try {
  const checkpoint::NpzReader file(path);
  Statistics statistics;
  statistics.pool = read_gaussian(path, file, "mu", "sigma");
  if (file.contains("mu_s") || file.contains("sigma_s")) {
    statistics.spatial = read_gaussian(path, file, "mu_s", "sigma_s");
  }
  statistics.pool.count = read_count(path, file);
  statistics.extractor = read_extractor(file);
  statistics.features = read_features(path, file, statistics.pool.mean.size(0));
  return statistics;
} catch (const CheckpointError& problem) {
  throw DataError(problem.what());
}

void save_statistics(const fs::path& path, const Statistics& statistics) {
  checkpoint::NpzWriter file(path);
  file.add("mu", statistics.pool.mean);
  file.add("sigma", statistics.pool.covariance);
  if (statistics.spatial) {
    file.add("mu_s", statistics.spatial->mean);
    file.add("sigma_s", statistics.spatial->covariance);
  }
  file.add(kCount, at::tensor({statistics.pool.count}, at::kLong));
  const std::vector<uint8_t> digits(statistics.extractor.begin(), statistics.extractor.end());
  file.add(kExtractor, at::tensor(digits, at::kByte));
  if (statistics.features.defined()) file.add(kFeatures, statistics.features);
  file.close();
}

}  // namespace sextant::evaluation
