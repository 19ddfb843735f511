#include "internal/models/mixture.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <numeric>

#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::models {

using nlohmann::json;

namespace {

constexpr int64_t kMostComponents = 1000;
constexpr int64_t kMostNumbers = int64_t{1} << 26;  ///< of all covariances, half a GiB

/// The parameters of config.json's "model", in float64.
struct Parameters {
  Tensor weights, means, covariances;
};

std::vector<double> numbers_of(const json& list) { return list.get<std::vector<double>>(); }

Tensor tensor_of(const std::vector<double>& numbers) { return at::tensor(numbers, at::kDouble); }

Tensor means_of(const json& model) {
  const auto rows = model.at("means").get<std::vector<std::vector<double>>>();
  const auto components = static_cast<int64_t>(rows.size());
  if (components < 2 || components > kMostComponents) {
    throw CheckpointError(c10::str(components, " means; a mixture has 2 to ", kMostComponents, " components"));
  }
  const auto dimension = static_cast<int64_t>(rows.front().size());
  if (dimension < 1) throw CheckpointError("means without numbers; each is a list of as many as there are dimensions");
  if (components * dimension * dimension > kMostNumbers) {
    throw CheckpointError(c10::str(components, " components in ", dimension, " dimensions are too many: their ",
                                   "covariances have more than ", kMostNumbers, " numbers"));
  }
  std::vector<double> all;
  for (const auto& row : rows) {
    if (static_cast<int64_t>(row.size()) != dimension) {
      throw CheckpointError(c10::str("means of ", dimension, " and of ", row.size(), " numbers; give them one length"));
    }
    all.insert(all.end(), row.begin(), row.end());
  }
  return tensor_of(all).view({components, dimension});
}

Tensor covariances_of(const json& given, int64_t components, int64_t dimension) {
  const Tensor one = at::eye(dimension, at::kDouble).expand({components, dimension, dimension});
  if (given.is_number()) return given.get<double>() * one;
  const auto expected = [&] {
    return CheckpointError(c10::str("covariances are a number, or for each of the ", components,
                                    " components a number, ", dimension, " numbers or ", dimension, " x ", dimension));
  };
  if (!given.is_array() || static_cast<int64_t>(given.size()) != components) throw expected();
  std::vector<Tensor> all;
  for (const json& entry : given) {
    if (entry.is_number()) {
      all.push_back(entry.get<double>() * one[0]);
      continue;
    }
    if (!entry.is_array() || static_cast<int64_t>(entry.size()) != dimension) throw expected();
    if (entry.front().is_number()) {
      all.push_back(at::diag(tensor_of(numbers_of(entry))));
      continue;
    }
    std::vector<double> matrix;
    for (const json& row : entry) {
      const std::vector<double> numbers = numbers_of(row);
      if (static_cast<int64_t>(numbers.size()) != dimension) throw expected();
      matrix.insert(matrix.end(), numbers.begin(), numbers.end());
    }
    all.push_back(tensor_of(matrix).view({dimension, dimension}));
  }
  return at::stack(all);
}

/// A misspelt "weights" would leave the components of equal weight.
void check_entries(const json& model) {
  for (const auto& [key, value] : model.items()) {
    static const std::vector<std::string> kKnown = {"means", "covariances", "weights", "in_channels", "image_size"};
    if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
    throw CheckpointError("\"model\" has an unknown entry '" + key +
                          "'; a mixture's are means, covariances and weights." +
                          did_you_mean(key, {"means", "covariances", "weights"}));
  }
}

Parameters parameters_of(const json& model) {
  check_entries(model);
  const Tensor means = means_of(model);
  const int64_t components = means.size(0);
  Tensor weights = at::full({components}, 1.0 / static_cast<double>(components), at::kDouble);
  if (model.contains("weights")) {
    weights = tensor_of(numbers_of(model["weights"]));
    if (weights.size(0) != components) {
      throw CheckpointError(c10::str(weights.size(0), " weights for ", components, " means; give one each"));
    }
  }
  return {weights, means, covariances_of(model.at("covariances"), components, means.size(1))};
}

/// What is wrong with a description, with its file's name.
template <class Action>
auto naming_file(const Description& description, const Action& action) {
  const std::string file = description.weights.string() + ": ";
  try {
    return action(description.config.at("model"));
  } catch (const json::exception&) {
    throw CheckpointError(file +
                          "a mixture's \"model\" holds means, lists of numbers, and covariances, and may hold "
                          "weights");
  } catch (const CheckpointError& problem) {
    throw CheckpointError(file + problem.what());
  } catch (const UsageError& problem) {
    throw CheckpointError(file + problem.what());
  }
}

}  // namespace

bool is_mixture(const json& config) { return config.value("type", json()) == "mixture"; }

bool is_mixture_folder(const std::filesystem::path& path) {
  return std::filesystem::exists(path / "config.json") && is_mixture(describe(path).config);
}

bool reads_noise_levels(const ClassifierConfig& classifier) {
  const std::vector<ClassifierConfig> members = members_of(classifier);
  const auto counts_levels = [](const ClassifierConfig& member) {
    if (!std::filesystem::is_directory(member.path)) return false;  // a mixture is a folder
    const json config = description_of(member).config;
    return is_mixture(config) && !config.contains("diffusion");
  };
  const auto counting = std::count_if(members.begin(), members.end(), counts_levels);
  if (counting > 0 && counting < std::ssize(members)) {
    throw UsageError("classifier " + classifier.path +
                     ": some count noise levels and others timesteps; give mixtures that both have a \"diffusion\" in "
                     "config.json, or neither");
  }
  return counting > 0;
}

std::string points_or_images(int64_t channels, bool points) {
  const std::string unit = points ? " dimension" : " channel";
  return (points ? "points of " : "images of ") + std::to_string(channels) + unit + (channels == 1 ? "" : "s");
}

diffusion::Mixture open_mixture(const Description& description, at::Device device) {
  return naming_file(description, [&](const json& model) {
    const Parameters p = parameters_of(model);
    // Checked and factorised on the CPU in any case: the same numbers wherever it computes.
    return diffusion::Mixture(p.weights, p.means, p.covariances).to(device);
  });
}

Points draw_points(const Description& description, int64_t count, uint64_t seed) {
  return naming_file(description, [&](const json& model) {
    const Parameters p = parameters_of(model);
    const diffusion::Mixture mixture(p.weights, p.means, p.covariances);
    std::vector<int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), int64_t{0});
    const int64_t d = mixture.dimension();
    const Noise noise(seed, indices, {d});
    const Tensor uniform = Noise(seed, indices, {1}).uniform(1).flatten().to(at::kDouble);
    const Tensor labels = at::searchsorted(p.weights.cumsum(0), uniform).clamp(0, mixture.num_components() - 1);
    const Tensor x = mixture.draw(labels, noise.normal(0).to(at::kDouble));
    return Points{x.to(at::kFloat).view({count, d, 1, 1}), labels};
  });
}

}  // namespace sextant::models
