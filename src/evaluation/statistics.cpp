#include <c10/util/StringUtil.h>

#include <algorithm>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/error.h"
#include "stored_arrays.h"

namespace sextant::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtractor = "extractor";
constexpr const char* kCount = "count";
constexpr const char* kFeatures = "arr_0";

DataError bad(const fs::path& path, const std::string& reason) { return DataError(path.string() + ": " + reason); }

/// The names that tools give to mean and covariance; the first ones are ours.
constexpr std::pair<const char*, const char*> kNames[] = {
    {"mu", "sigma"}, {"m", "s"}, {"mean", "cov"}, {"mean", "covariance"}, {"mean", "sigma"}};
/// Those of StyleGAN's sums of x and of x x^T.
constexpr std::pair<const char*, const char*> kSums = {"raw_mean", "raw_cov"};
constexpr const char* kFeatureNames[] = {"pool_3", "features", "feats"};
constexpr const char* kCountNames[] = {kCount, "num_images", "num_items"};

metrics::Gaussian read_gaussian(const fs::path& path, const StoredArrays& file, const std::string& mean,
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

int64_t read_count(const fs::path& path, const StoredArrays& file) {
  for (const char* name : kCountNames) {
    if (!file.contains(name)) continue;
    const Tensor count = file.read(name);
    if (count.numel() != 1) throw bad(path, std::string(name) + " is not one number");
    return count.to(at::kLong).item<int64_t>();
  }
  return 0;
}

std::string read_extractor(const StoredArrays& file) {
  if (!file.contains(kExtractor)) return "";
  const Tensor digits = file.read(kExtractor).to(at::kByte).contiguous();
  return {reinterpret_cast<const char*>(digits.data_ptr<uint8_t>()), static_cast<std::size_t>(digits.numel())};
}

/// The array of features, "" without; arr_0 may be the images of a reference batch as well.
std::string name_of_features(const StoredArrays& file) {
  for (const char* name : kFeatureNames) {
    if (file.contains(name)) return name;
  }
  return file.contains(kFeatures) && file.shape(kFeatures).size() == 2 ? kFeatures : "";
}

/// [N, D] float32, or undefined. `dimensions` 0: any.
Tensor read_features(const fs::path& path, const StoredArrays& file, int64_t dimensions) {
  const std::string name = name_of_features(file);
  if (name.empty()) return {};
  // [N, D, 1, 1], as pooling layers leave it.
  const Tensor array = file.read(name);
  const Tensor features = array.dim() == 4 ? array.flatten(1) : array;
  if (!at::isFloatingType(features.scalar_type()) || features.dim() != 2 ||
      (dimensions > 0 && features.size(1) != dimensions)) {
    throw bad(path, c10::str(name, " is ", array.scalar_type(), " ", array.sizes(), ", expected features [N, ",
                             dimensions > 0 ? std::to_string(dimensions) : "D", "] or images"));
  }
  return features.to(at::kFloat);
}

/// Where a mean and a covariance lie: "" or "fid." before their names.
struct Place {
  std::string group, mean, covariance;
};

std::vector<Place> places_of(const StoredArrays& file) {
  std::vector<Place> places;
  for (const std::string& name : file.names()) {
    const std::size_t dot = name.rfind('.');
    const std::string group = dot == std::string::npos ? "" : name.substr(0, dot + 1);
    for (const auto& [mean, covariance] : kNames) {
      if (name == group + mean && file.contains(group + covariance))
        places.push_back({group, name, group + covariance});
    }
  }
  return places;
}

/// The statistics of `dimensions` among several networks', "fid" first; tells `note`.
Place chosen(const fs::path& path, const StoredArrays& file, std::vector<Place> places, int64_t dimensions,
             std::string& note) {
  if (places.size() == 1) return places.front();
  std::string all;
  for (const Place& place : places) {
    all += c10::str(all.empty() ? "" : ", ", place.group.substr(0, place.group.size() - 1), " (",
                    file.read(place.mean).numel(), " features an image)");
  }
  if (dimensions > 0)
    std::erase_if(places, [&](const Place& place) { return file.read(place.mean).numel() != dimensions; });
  auto taken = std::find_if(places.begin(), places.end(), [](const Place& place) { return place.group == "fid."; });
  if (taken == places.end() && places.size() == 1) taken = places.begin();
  if (taken == places.end()) {
    throw bad(path, c10::str("holds statistics of ", all, "; ", places.empty() ? "none" : "more than one",
                             " could be of a network of ", dimensions, " features an image"));
  }
  note = c10::str(path.string(), " holds statistics of ", all, ": those of ",
                  taken->group.substr(0, taken->group.size() - 1), " are taken");
  return *taken;
}

/// Population statistics of sums, as StyleGAN computes them.
metrics::Gaussian of_sums(const metrics::Gaussian& sums, int64_t count) {
  const Tensor mean = sums.mean / static_cast<double>(count);
  return {mean, sums.covariance / static_cast<double>(count) - at::outer(mean, mean), count};
}

metrics::Gaussian read_pool(const fs::path& path, const StoredArrays& file, int64_t dimensions,
                            Statistics& statistics) {
  const int64_t count = read_count(path, file);
  if (const std::vector<Place> places = places_of(file); !places.empty()) {
    const Place place = chosen(path, file, places, dimensions, statistics.note);
    metrics::Gaussian pool = read_gaussian(path, file, place.mean, place.covariance);
    pool.count = count;
    return pool;
  }
  if (file.contains(kSums.first) && file.contains(kSums.second) && count > 0)
    return of_sums(read_gaussian(path, file, kSums.first, kSums.second), count);
  if (const Tensor features = read_features(path, file, 0); features.defined() && features.size(0) > 1) {
    statistics.note = c10::str(path.string(), " holds features of ", features.size(0), " images (",
                               name_of_features(file), "), whose mean and covariance are the reference");
    return metrics::gaussian_of(features);
  }
  throw bad(path,
            "a reference is statistics ('mu' and 'sigma', or m and s, or mean and cov), features (pool_3) or "
            "images (arr_0, uint8 [N, height, width, 3 or 1]); there is " +
                file.listed());
}

}  // namespace

bool has_statistics(const fs::path& path) try {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  if (is_named_as_arrays(path)) return true;
  if (path.extension() != ".npz") return false;
  const StoredArrays file(path);
  return file.contains("mu") || file.contains("sigma") || !places_of(file).empty() || !name_of_features(file).empty() ||
         !file.contains(kFeatures);
} catch (const DataError&) {
  return false;
}

Statistics read_statistics(const fs::path& path, int64_t dimensions) {
  const StoredArrays file(path);
  Statistics statistics;
  statistics.pool = read_pool(path, file, dimensions, statistics);
  if (file.contains("mu_s") || file.contains("sigma_s"))
    statistics.spatial = read_gaussian(path, file, "mu_s", "sigma_s");
  statistics.extractor = read_extractor(file);
  statistics.features = read_features(path, file, statistics.pool.mean.size(0));
  return statistics;
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
